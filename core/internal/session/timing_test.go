package session

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp"
)

var lossyDays = flag.Float64("lossy-days", 0, "days that each session of TestFalseFailovers lasts; 0: as many as take no time")

// lossy is a session between a pool user, the first, and its element on a path
// that loses packets, in virtual time and with the timing that sockets choose.
type lossy struct {
	t      *testing.T
	rand   *rand.Rand
	now    time.Time
	loss   float64
	delay  time.Duration // one way
	ends   [2]*sctp.Endpoint
	addrs  [2]netip.AddrPort
	ids    [2]assoc.ID
	flying []datagram
	lost   int // sessions that one end gave up

	asked, answered int
}

type datagram struct {
	at   time.Time
	to   int
	data []byte
}

func newLossy(t *testing.T, loss float64, roundTrip time.Duration) *lossy {
	l := &lossy{t: t, rand: rand.New(rand.NewPCG(1, uint64(roundTrip))), now: time.Unix(1e9, 0), loss: loss, delay: roundTrip / 2}
	o, err := Options{}.Resolve()
	if err != nil {
		t.Fatal(err)
	}
	for i := range l.ends {
		port := uint16(5000 + i)
		l.addrs[i] = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)}), port)
		l.ends[i] = sctp.New(sctp.Config{Port: port, Rand: rand.NewChaCha8([32]byte{byte(i)}), Params: o.params(), EarlyResend: true})
	}
	return l
}

// connect makes a session, tuned as a socket does it.
func (l *lossy) connect() {
	o, _ := Options{}.Resolve()
	p := o.params()
	l.ids = [2]assoc.ID{}
	for l.ids[0] == 0 || l.ids[1] == 0 {
		if _, err := l.ends[0].Connect(l.now, []netip.AddrPort{l.addrs[1]}, &p); err != nil && !errors.Is(err, assoc.ErrAlreadyExists) {
			l.t.Fatal(err)
		}
		l.run(5 * time.Second)
	}
	st, err := l.ends[0].Status(l.ids[0])
	if err != nil {
		return // gone already
	}
	_ = l.ends[0].SetParams(l.ids[0], profileOf(max(st.Paths[0].SRTT, 2*l.delay)))
}

func (l *lossy) flush() {
	for i, e := range l.ends {
		var p sctp.Packet
		for e.Output(l.now, &p) {
			if l.rand.Float64() >= l.loss {
				l.flying = append(l.flying, datagram{l.now.Add(l.delay), 1 - i, bytes.Clone(p.Data)})
			}
		}
	}
	for i := range l.ends {
		l.read(i)
	}
}

func (l *lossy) read(i int) {
	var info assoc.RecvInfo
	buf := make([]byte, 100)
	for {
		if _, err := l.ends[i].Recv(l.now, buf, &info); err != nil {
			return
		}
		switch info.Kind {
		case assoc.CommUp:
			l.ids[i] = info.Assoc
			if i == 1 {
				_ = l.ends[i].SetParams(info.Assoc, assoc.Params{PathMaxRetrans: failures, AssocMaxRetrans: failures})
			}
		case assoc.CommLost:
			l.lost++
			l.ids = [2]assoc.ID{}
		case assoc.Message:
			if i == 0 {
				l.answered++
			} else {
				_ = l.ends[1].Send(l.now, buf[:64], &assoc.SendInfo{Assoc: info.Assoc}) // lost with its association
			}
		}
	}
}

func (l *lossy) run(d time.Duration) {
	for end := l.now.Add(d); ; {
		l.flush()
		at := end
		if len(l.flying) > 0 && l.flying[0].at.Before(at) {
			at = l.flying[0].at
		}
		for _, e := range l.ends {
			if t, ok := e.Next(); ok && t.Before(at) {
				at = t
			}
		}
		if at == end && (len(l.flying) == 0 || l.flying[0].at.After(end)) {
			l.now = end
			return
		}
		l.now = at
		for len(l.flying) > 0 && !l.flying[0].at.After(l.now) {
			g := l.flying[0]
			l.flying = l.flying[1:]
			l.ends[g.to].Input(l.now, sctp.Packet{Peer: l.addrs[1-g.to], Data: g.data})
			l.flush()
		}
		for _, e := range l.ends {
			e.Advance(l.now)
		}
	}
}

// TestFalseFailovers: at 5 % loss in each direction sessions fail by chance less
// than once in a day, those that ask often and those that have only heartbeats.
func TestFalseFailovers(t *testing.T) {
	for _, roundTrip := range []time.Duration{time.Millisecond, 20 * time.Millisecond, 100 * time.Millisecond} {
		for every, days := range map[time.Duration]float64{100 * time.Millisecond: 0.01, time.Second: 0.2, 10 * time.Second: 1.5} {
			if *lossyDays > 0 {
				days = *lossyDays
			}
			t.Run(fmt.Sprintf("%v/message every %v", roundTrip, every), func(t *testing.T) {
				t.Parallel()
				l := newLossy(t, 0.05, roundTrip)
				l.ask(every, time.Duration(days*24*float64(time.Hour)))
				t.Logf("%v days: %d of %d messages answered, %d false failovers", days, l.answered, l.asked, l.lost)
				if float64(l.lost) >= max(days, 1) || l.answered < l.asked-l.lost-1 {
					t.Errorf("%d false failovers in %v days, %d of %d messages answered", l.lost, days, l.answered, l.asked)
				}
			})
		}
	}
}

// ask sends a message again and again, for so long.
func (l *lossy) ask(every, long time.Duration) {
	for end := l.now.Add(long); l.now.Before(end); l.run(every) {
		if l.ids[0] == 0 {
			l.connect()
		}
		if l.ends[0].Send(l.now, make([]byte, 64), &assoc.SendInfo{Assoc: l.ids[0]}) == nil {
			l.asked++
		}
	}
}

// TestProfile: short paths get a quick one, and longer ones as much as they need, in powers of two.
func TestProfile(t *testing.T) {
	const ms = time.Millisecond
	for roundTrip, want := range map[time.Duration][3]time.Duration{
		0: {130 * ms, 35 * ms, 130 * ms}, ms: {130 * ms, 35 * ms, 130 * ms}, 32 * ms: {130 * ms, 35 * ms, 130 * ms},
		32*ms + 1: {192 * ms, 64 * ms, 256 * ms}, 64 * ms: {192 * ms, 64 * ms, 256 * ms}, 65 * ms: {384 * ms, 128 * ms, 512 * ms},
	} {
		p := profileOf(roundTrip)
		if got := [3]time.Duration{p.RTOInitial, p.RTOMin, p.RTOMax}; got != want || p.PathMaxRetrans != 6 || p.AssocMaxRetrans != 6 {
			t.Errorf("%v: %v, %d retransmissions", roundTrip, got, p.PathMaxRetrans)
		}
	}
}

// TestTuning: a session that stands is looked at after 100 ms, and until something is measured at twice
// the distance each time; then every five seconds, and the transport is told of changes only.
func TestTuning(t *testing.T) {
	b := newBench(t)
	b.port.status = &assoc.Status{Paths: []assoc.PathStatus{{}}}
	ss := b.user(t, Options{})
	begun := b.now
	look := func(want time.Duration, told ...assoc.Params) {
		t.Helper()
		b.port.set = nil
		at, is := b.Next()
		if !is || at.Sub(begun) != want {
			t.Fatalf("it is looked at after %v, want %v", at.Sub(begun), want)
		}
		b.later(at.Sub(b.now))
		if !slices.Equal(b.port.set, told) {
			t.Errorf("after %v: told %+v", want, b.port.set)
		}
	}
	for _, at := range []time.Duration{100, 300, 700, 1500, 3100, 6300, 11300} {
		look(at * time.Millisecond)
	}
	b.port.status.Paths[0].SRTT = 20 * time.Millisecond
	look(16300*time.Millisecond, profileOf(20*time.Millisecond))
	b.port.status.Paths[0].SRTT = 25 * time.Millisecond // as good as before
	look(21300 * time.Millisecond)
	b.port.status.Paths[0].SRTT = 60 * time.Millisecond
	look(26300*time.Millisecond, profileOf(60*time.Millisecond))
	b.port.status.Paths = append(b.port.status.Paths, assoc.PathStatus{SRTT: time.Second}) // the transport's own patience is right
	b.port.status.Paths[0].SRTT = time.Second
	look(31300 * time.Millisecond)
	b.port.status.Paths = b.port.status.Paths[:1]
	o := ss.Options()
	o.Heartbeat = time.Minute // the program chooses
	ok(t, b.SetOptions(b.now, ss, o))
	look(36300 * time.Millisecond)
	b.lost()
	b.later(time.Hour)
	if b.Size().Deadlines != 0 {
		t.Errorf("%+v", b.Size())
	}
	b.served(ss) // another path
	begun = b.now
	look(100 * time.Millisecond)
}

// TestElementsTiming: an element is as patient as a pool user, at the transport's own pace, unless the
// program chooses.
func TestElementsTiming(t *testing.T) {
	b := newBench(t)
	b.port.set = nil
	b.arrives(1, "x")
	d := assoc.Default()
	if want := (assoc.Params{SendBuffer: d.SendBuffer, ReceiveBuffer: d.ReceiveBuffer, PathMaxRetrans: 6, AssocMaxRetrans: 6}); !slices.Equal(b.port.set, []assoc.Params{want}) {
		t.Errorf("told %+v", b.port.set)
	}
	o, err := Options{AssocRetransmits: 2}.Resolve()
	ok(t, err)
	ok(t, b.SetDefaults(o))
	b.port.set = nil
	b.arrives(2, "x")
	if want := (assoc.Params{SendBuffer: d.SendBuffer, ReceiveBuffer: d.ReceiveBuffer}); !slices.Equal(b.port.set, []assoc.Params{want}) {
		t.Errorf("told %+v", b.port.set)
	}
}
