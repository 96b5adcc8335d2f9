package transporttest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

var dataScenarios = []scenario{
	{"echo of all sizes", echoSizes, true},
	{"echo at the edges of packets", echoEdges, false},
	{"pipelined", pipelined, true},
	{"many streams", manyStreams, true},
	{"unordered", unordered, true},
	{"small receive buffer", smallReceiveBuffer, false},
	{"both directions at once", bothDirections, true},
	{"invalid sends", invalidSends, false},
	{"too long for the receiver", tooLong, false},
	{"lifetime", lifetime, false},
	{"short behind long", shortBehindLong, true},
}

// pattern returns n bytes that depend on the seed and on their position.
func pattern(n, seed int) string {
	rng := rand.New(rand.NewPCG(uint64(seed), uint64(n)))
	b := make([]byte, n)
	for i := 0; i < n; i += 8 {
		v := rng.Uint64()
		for j := i; j < min(i+8, n); j++ {
			b[j] = byte(v)
			v >>= 8
		}
	}
	return string(b)
}

// same compares messages and shows the first that differs, shortened.
func (w *world) same(got, want []message, what string) {
	w.Helper()
	short := func(m message) string {
		size := len(m.data)
		m.data = m.data[:min(size, 12)]
		return fmt.Sprintf("%+v of %d bytes", m, size)
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			w.Errorf("message %d %s as %s, want %s", i, what, short(got[i]), short(want[i]))
			return
		}
	}
	if len(got) != len(want) {
		w.Errorf("%d messages %s, want %d", len(got), what, len(want))
	}
}

// echoAll sends messages to an echoing server, all at once or each after the
// echo of the one before, and compares what comes back.
func (w *world) echoAll(p assoc.Params, messages []message, pipelined bool) []message {
	w.Helper()
	c, s := w.client(p), w.server(p).echoes()
	cid := w.dial(c, s, assoc.Params{})
	for i, m := range messages {
		c.send(cid, m)
		if !pipelined {
			c.awaitMessages(cid, i+1)
		}
	}
	return c.awaitMessages(cid, len(messages))
}

func echoSizes(w *world) {
	var messages []message
	for i, n := range []int{1, 2, 3, 4, 100, 1000, 1023, 1024, 4096, 16384, 65535, 65536, 300_000, 1 << 20} {
		messages = append(messages, message{stream: uint16(i), ppid: uint32(1000 + i), data: pattern(n, i)})
	}
	w.same(w.echoAll(assoc.Params{}, messages, false), messages, "came back")
}

// Short messages beside long ones on other streams: all of them arrive whole, and
// in the order of their streams (SCTP-3-07).
func shortBehindLong(w *world) {
	c, cid, s, sid := w.pair(assoc.Params{SendBuffer: 8 << 20})
	var messages []message
	for i := range 24 {
		n := 300_000
		if i%3 == 2 {
			n = 100
		}
		messages = append(messages, message{stream: uint16(i % 9), ppid: uint32(i), unordered: i%4 == 3, data: pattern(n, i)})
	}
	for _, m := range messages {
		c.send(cid, m)
	}
	got := s.awaitMessages(sid, len(messages))
	rank := slices.IndexFunc(got, func(m message) bool { return m.ppid == 23 })
	w.Logf("the last one, which is short, came as number %d of %d", rank+1, len(got))
	slices.SortFunc(got, func(a, b message) int { return int(a.ppid) - int(b.ppid) })
	w.same(got, messages, "arrived")
}

// Around the sizes where one packet more is needed nothing is lost or glued.
func echoEdges(w *world) {
	for _, mtu := range []int{0, 1280, 1500} {
		var messages []message
		edge := mtu
		if mtu == 0 {
			edge = 65535
		}
		for packets := 1; packets <= 2; packets++ {
			for n := packets*edge - 120*packets; n <= packets*edge; n += 7 {
				messages = append(messages, message{data: pattern(n, n)})
			}
		}
		for n := edge - 72; n < edge-40; n++ { // every padding around one packet
			messages = append(messages, message{data: pattern(n, n)})
		}
		w.same(w.echoAll(assoc.Params{MTU: mtu}, messages, true), messages, "came back")
	}
}

func pipelined(w *world) {
	messages := make([]message, 1000)
	for i := range messages {
		messages[i] = message{stream: 3, ppid: uint32(i), data: pattern(1+i%500, i)}
	}
	w.same(w.echoAll(assoc.Params{}, messages, true), messages, "came back")
}

// Every stream keeps its order.
func manyStreams(w *world) {
	const streams, each = 50, 20
	var messages []message
	for i := range each {
		for stream := range streams {
			messages = append(messages, message{stream: uint16(stream), ppid: uint32(i), data: pattern(1+(i*stream*97)%3000, stream)})
		}
	}
	got := w.echoAll(assoc.Params{OutStreams: streams}, messages, true)
	byStream := func(a, b message) int { return int(a.stream) - int(b.stream) }
	slices.SortStableFunc(got, byStream)
	slices.SortStableFunc(messages, byStream)
	w.same(got, messages, "came back")
}

// Unordered messages arrive whole and once, among ordered ones that keep their
// order.
func unordered(w *world) {
	var messages []message
	for i := range 200 {
		messages = append(messages, message{ppid: uint32(i), unordered: i%2 == 1, data: pattern(1+i*40, i)})
	}
	got := w.echoAll(assoc.Params{}, messages, true)
	var ordered []uint32
	for _, m := range got {
		if !m.unordered {
			ordered = append(ordered, m.ppid)
		}
	}
	if !slices.IsSorted(ordered) {
		w.Errorf("ordered messages came back as %v", ordered)
	}
	slices.SortFunc(got, func(a, b message) int { return int(a.ppid) - int(b.ppid) })
	w.same(got, messages, "came back")
}

// A message longer than the buffer of Recv arrives in pieces.
func smallReceiveBuffer(w *world) {
	c, s := w.client(assoc.Params{}), w.server(assoc.Params{})
	s.set(func(n *node) { n.buf = make([]byte, 1000) })
	cid := w.dial(c, s, assoc.Params{})
	var messages []message
	for i, n := range []int{999, 1000, 1001, 2000, 5001, 100_000, 1} {
		messages = append(messages, message{stream: 1, ppid: 5, data: pattern(n, i)})
		c.send(cid, messages[i])
	}
	sid := s.awaitPeers(1)[0]
	w.same(s.awaitMessages(sid, len(messages)), messages, "arrived")
}

func bothDirections(w *world) {
	c, cid, s, sid := w.pair(assoc.Params{})
	var up, down []message
	for i := range 300 {
		up = append(up, message{stream: 1, ppid: uint32(i), data: pattern(1+i*10, i)})
		down = append(down, message{stream: 2, ppid: uint32(i), data: pattern(1+i*11, -i)})
		c.send(cid, up[i])
		s.send(sid, down[i])
	}
	w.same(s.awaitMessages(sid, len(up)), up, "arrived")
	w.same(c.awaitMessages(cid, len(down)), down, "arrived")
}

// Invalid sends get their error and leave the association as it was.
func invalidSends(w *world) {
	c, cid, s, sid := w.pair(assoc.Params{MaxMessage: 50_000, OutStreams: 4, InStreams: 4})
	for _, test := range []struct {
		name string
		id   assoc.ID
		m    message
		want error
	}{
		{"no data", cid, message{}, assoc.ErrInvalid},
		{"too large", cid, message{data: pattern(50_001, 1)}, assoc.ErrMessageSize},
		{"stream that is not there", cid, message{stream: 4, data: "x"}, assoc.ErrInvalid},
		{"association that is not there", cid + 12345, message{data: "x"}, assoc.ErrNotConnected},
		{"association 0", 0, message{data: "x"}, assoc.ErrNotConnected},
	} {
		if err := c.trySend(test.id, test.m); !errors.Is(err, test.want) {
			w.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
	}
	for _, err := range []error{c.ep.Shutdown(cid + 12345), c.ep.Abort(cid+12345, ""), c.ep.SetParams(cid+12345, assoc.Params{SackDelay: time.Second})} {
		if !errors.Is(err, assoc.ErrNotConnected) {
			w.Errorf("operation on an association that is not there: %v, want ErrNotConnected", err)
		}
	}
	if _, err := c.ep.Status(cid + 12345); !errors.Is(err, assoc.ErrNotConnected) {
		w.Errorf("status of an association that is not there: %v", err)
	}
	largest := message{data: pattern(50_000, 1)}
	c.send(cid, largest)
	w.same(s.awaitMessages(sid, 1), []message{largest}, "arrived")
	w.exchange(c, cid, s, sid)
}

// A message longer than the receiver takes ends the association and is not
// delivered, nor is what follows it (SCTP-3-24).
func tooLong(w *world) {
	for _, n := range []int{50_001, 500_000} {
		c, s := w.client(assoc.Params{}), w.server(assoc.Params{MaxMessage: 50_000})
		cid := w.dial(c, s, assoc.Params{})
		c.awaitUp(cid)
		sid := s.awaitPeers(1)[0]
		fits := message{stream: 1, data: pattern(50_000, n)}
		c.send(cid, fits)
		c.send(cid, message{stream: 1, data: pattern(n, 2)})
		if err := c.trySend(cid, message{stream: 1, data: "behind it"}); err != nil && !errors.Is(err, assoc.ErrNotConnected) {
			w.Errorf("send: %v", err)
		}
		w.same(w.expect(s, sid, assoc.CommLost, assoc.ErrProtocol).got, []message{fits}, "arrived")
		w.expect(c, cid, assoc.CommLost, assoc.ErrAborted)
	}
}

// A message whose lifetime ends before it can be sent comes back, and the
// others arrive (RFC 3758).
func lifetime(w *world) {
	c, cid, s, sid := w.pair(assoc.Params{SendBuffer: 1 << 20, ReceiveBuffer: 64 << 10})
	s.pause()
	var sent []message
	for i := range 100 { // more than the window
		sent = append(sent, message{stream: uint16(i % 2), ppid: uint32(i), data: pattern(3000, i)})
		c.send(cid, sent[i])
	}
	mortal := message{stream: 1, ppid: 1000, context: 77, data: pattern(2000, 1)}
	err := c.ep.Send([]byte(mortal.data), &assoc.SendInfo{
		Assoc: cid, Stream: mortal.stream, PPID: mortal.ppid, Context: mortal.context, Lifetime: 50 * time.Millisecond,
	})
	if err != nil {
		w.Fatal(err)
	}
	for i := range 10 {
		sent = append(sent, message{stream: uint16(i % 2), ppid: uint32(100 + i), data: pattern(100, i)})
		c.send(cid, sent[100+i])
	}
	time.Sleep(200 * time.Millisecond)
	s.resume()
	got := s.awaitMessages(sid, len(sent))
	slices.SortFunc(got, func(a, b message) int { return int(a.ppid) - int(b.ppid) }) // streams do not wait for each other
	w.same(got, sent, "arrived")
	c.await("SendFailed", func() bool { return len(c.history(cid).failed) > 0 })
	mortal.unsent = true
	w.same(c.look(cid).failed, []message{mortal}, "came back")
	w.exchange(c, cid, s, sid)
}
