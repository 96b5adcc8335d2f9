package sctp_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp"
)

// A conv is a scripted conversation of one engine with a peer that the test
// plays: inject packets, expect packets, advance the time, call the API. It is
// strict: at the end every packet and every event must have been expected.
type conv struct {
	t    testing.TB
	ep   *sctp.Endpoint
	now  time.Time
	eng  netip.AddrPort // engine, SCTP
	peer netip.AddrPort // peer, SCTP
	udp  netip.AddrPort // peer, UDP: where packets come from and must go to
	par  assoc.Params

	id      assoc.ID
	tag     uint32 // the engine's tag: VT of what we inject
	peerTag uint32 // ours: VT of what we expect
	engTSN  uint32 // initial TSN of the engine
	tsn     uint32 // next TSN of ours
	ssn     uint16 // next SSN of ours on stream 0
	cookie  []byte
	offers  []byte // parameters in our INIT or INIT ACK

	out    []emitted
	events []event
	mute   bool // set when the test reads events itself
	buf    []byte
}

type emitted struct {
	at time.Time
	to netip.AddrPort
	wirePacket
}

type event struct {
	assoc.RecvInfo
	data string
}

const peerISN = 0xfffffff0 // the peer's TSNs wrap early in every script

// seededRand is a source of bytes that replays exactly.
type seededRand struct{ *rand.ChaCha8 }

func newSeeded(seed uint64) seededRand {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	return seededRand{rand.NewChaCha8(key)}
}

// scriptParams has easy numbers and no heartbeats.
func scriptParams() assoc.Params {
	return assoc.Params{
		RTOInitial: 300 * time.Millisecond, RTOMin: 100 * time.Millisecond, RTOMax: 800 * time.Millisecond,
		HeartbeatInterval: -1, PathMaxRetrans: 3, AssocMaxRetrans: 3, MaxInitRetransmits: 3,
		ConnectTimeout: time.Minute, SackDelay: 20 * time.Millisecond, SackPackets: 2,
		CookieLife: 10 * time.Second, MaxBurst: 4, ShutdownGuard: time.Minute,
		SendBuffer: 1 << 20, ReceiveBuffer: 1 << 16, MaxMessage: 1 << 15,
		OutStreams: 16, InStreams: 16, MTU: 1500,
	}
}

type option func(*conv, *sctp.Config)

func noListen(_ *conv, cfg *sctp.Config) { cfg.NoListen = true }

func withParams(change func(*assoc.Params)) option {
	return func(c *conv, _ *sctp.Config) { change(&c.par) }
}

func ipv6Peer(c *conv, _ *sctp.Config) {
	c.eng = netip.MustParseAddrPort("[2001:db8::1]:5000")
	c.peer = netip.MustParseAddrPort("[2001:db8::2]:7000")
	c.udp = c.peer
}

func newConv(t testing.TB, opts ...option) *conv {
	t.Helper()
	c := &conv{
		t: t, now: time.Unix(1_000_000, 0),
		eng: netip.MustParseAddrPort("192.0.2.1:5000"), peer: netip.MustParseAddrPort("192.0.2.2:7000"),
		udp: netip.MustParseAddrPort("192.0.2.2:7000"), par: scriptParams(),
		peerTag: 0x01020304, tsn: peerISN,
	}
	cfg := sctp.Config{Port: 5000, Rand: newSeeded(1), InitialTSN: func() uint32 { return 0xfffffffe }}
	for _, o := range opts {
		o(c, &cfg)
	}
	cfg.Params = c.par
	c.ep = sctp.New(cfg)
	t.Cleanup(func() {
		if !t.Failed() {
			c.quiet()
			c.noEvents()
			c.nothingLeft()
		}
	})
	return c
}

// nothingLeft checks that an engine whose associations have all ended waits for
// nothing: whatever goes on with one that is gone would set an alarm.
func (c *conv) nothingLeft() {
	c.t.Helper()
	if at, ok := c.ep.Next(); ok && c.ep.Idle() {
		c.t.Fatalf("no association is left, and an alarm in %v", at.Sub(c.now))
	}
}

func (c *conv) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// drain takes over what the engine has to say.
func (c *conv) drain() {
	c.t.Helper()
	var p sctp.Packet
	for c.ep.Output(c.now, &p) {
		w, err := parseStrict(slices.Clone(p.Data))
		if err != nil {
			c.t.Fatalf("the engine sent a bad packet: %v: % x", err, p.Data)
		}
		if w.src != c.eng.Port() || w.dst != c.peer.Port() {
			c.t.Fatalf("ports %d -> %d", w.src, w.dst)
		}
		c.out = append(c.out, emitted{c.now, p.Peer, w})
	}
	if !c.mute {
		c.readAll()
	}
}

// readAll reads until nothing is left, messages in one piece.
func (c *conv) readAll() {
	for c.readOne() {
	}
}

func (c *conv) readOne() bool {
	c.t.Helper()
	if c.buf == nil {
		c.buf = make([]byte, 1<<14)
	}
	var ev event
	for more := true; more; more = ev.More {
		n, err := c.ep.Recv(c.now, c.buf, &ev.RecvInfo)
		if errors.Is(err, assoc.ErrWouldBlock) {
			return false
		}
		c.must(err)
		ev.data += string(c.buf[:n])
	}
	c.events = append(c.events, ev)
	if c.mute { // a read may open the window
		c.drainPackets()
	}
	return true
}

func (c *conv) drainPackets() {
	mute := c.mute
	c.mute = true
	c.drain()
	c.mute = mute
}

// injectRaw hands the engine a datagram from an address.
func (c *conv) injectRaw(from netip.AddrPort, b []byte) {
	c.t.Helper()
	c.ep.Input(c.now, sctp.Packet{Peer: from, Local: c.eng.Addr(), Data: bytes.Clone(b)})
	c.drain()
}

// injectVT sends chunks with a verification tag of choice.
func (c *conv) injectVT(vt uint32, chunks ...[]byte) {
	c.t.Helper()
	c.injectRaw(c.udp, buildPacket(c.peer.Port(), c.eng.Port(), vt, chunks...))
}

func (c *conv) inject(chunks ...[]byte) {
	c.t.Helper()
	c.injectVT(c.tag, chunks...)
}

// data injects one unfragmented ordered message on stream 0.
func (c *conv) data(user string) {
	c.t.Helper()
	c.inject(c.nextData(user))
}

func (c *conv) nextData(user string) []byte {
	d := dataChunk(fB|fE, c.tsn, 0, c.ssn, 0, user)
	c.tsn++
	c.ssn++
	return d
}

// advance lets time pass, running the engine's timers at their deadlines.
func (c *conv) advance(d time.Duration) {
	c.t.Helper()
	end := c.now.Add(d)
	for range 100_000 {
		at, ok := c.ep.Next()
		if !ok || at.After(end) {
			c.now = end
			return
		}
		if at.After(c.now) {
			c.now = at
		}
		c.ep.Advance(c.now)
		c.drain()
	}
	c.t.Fatal("timers do not move on")
}

// expect takes the next packet, which must hold exactly these chunks (a run
// of DATA counts as one).
func (c *conv) expect(types ...byte) emitted {
	c.t.Helper()
	if len(c.out) == 0 {
		c.t.Fatalf("no packet, want %v", names(types))
	}
	p := c.out[0]
	c.out = c.out[1:]
	if !bytes.Equal(p.types(), types) {
		c.t.Fatalf("got %v, want %v", p, names(types))
	}
	if p.to != c.udp {
		c.t.Fatalf("sent to %v, want %v", p.to, c.udp)
	}
	return p
}

// expectVT also looks at the verification tag.
func (c *conv) expectOwn(types ...byte) emitted {
	c.t.Helper()
	p := c.expect(types...)
	if p.vt != c.peerTag {
		c.t.Fatalf("%v: want vt %08x", p, c.peerTag)
	}
	return p
}

// expectAfter lets d pass, wants silence up to its last microsecond and one
// packet then.
func (c *conv) expectAfter(d time.Duration, types ...byte) emitted {
	c.t.Helper()
	c.advance(d - time.Microsecond)
	c.quiet()
	c.advance(2 * time.Microsecond)
	return c.expectOwn(types...)
}

func (c *conv) quiet() {
	c.t.Helper()
	if len(c.out) != 0 {
		c.t.Fatalf("unexpected packet %v (of %d)", c.out[0], len(c.out))
	}
}

// discard forgets packets that are not the subject.
func (c *conv) discard() []emitted {
	o := c.out
	c.out = nil
	return o
}

func names(types []byte) (s []string) {
	for _, t := range types {
		s = append(s, chunkName(t))
	}
	return s
}

// event takes the next event, which must be of a kind.
func (c *conv) event(kind assoc.Kind) event {
	c.t.Helper()
	if len(c.events) == 0 {
		c.t.Fatalf("no event, want kind %d", kind)
	}
	ev := c.events[0]
	c.events = c.events[1:]
	if ev.Kind != kind {
		c.t.Fatalf("got event %+v, want kind %d", ev, kind)
	}
	return ev
}

func (c *conv) message(want string) event {
	c.t.Helper()
	ev := c.event(assoc.Message)
	if ev.data != want {
		c.t.Fatalf("got message %.40q (%d bytes), want %.40q (%d bytes)", ev.data, len(ev.data), want, len(want))
	}
	return ev
}

func (c *conv) noEvents() {
	c.t.Helper()
	if len(c.events) != 0 {
		c.t.Fatalf("unexpected event %+v", c.events[0])
	}
}

// send queues a message on stream 0.
func (c *conv) send(user string) {
	c.t.Helper()
	c.sendInfo(user, assoc.SendInfo{})
}

func (c *conv) sendInfo(user string, info assoc.SendInfo) {
	c.t.Helper()
	info.Assoc = c.id
	c.must(c.ep.Send(c.now, []byte(user), &info))
	c.drain()
}

func (c *conv) connect() {
	c.t.Helper()
	par := c.par
	id, err := c.ep.Connect(c.now, []netip.AddrPort{c.peer}, &par)
	c.must(err)
	c.id = id
	c.drain()
}

func (c *conv) shutdown() {
	c.t.Helper()
	c.must(c.ep.Shutdown(c.now, c.id))
	c.drain()
}

func (c *conv) abort(reason string) {
	c.t.Helper()
	c.must(c.ep.Abort(c.now, c.id, reason))
	c.drain()
}

// status is the state of the association by the engine's word, "CLOSED" if
// there is none.
func (c *conv) status() assoc.Status {
	s, err := c.ep.Status(c.id)
	if err != nil {
		s.State = "CLOSED"
	}
	return s
}

func (c *conv) wantState(state string) {
	c.t.Helper()
	if s := c.status().State; s != state {
		c.t.Fatalf("state %s, want %s", s, state)
	}
}

// ownInit is the INIT that the peer sends.
func (c *conv) ownInit() initBody {
	return initBody{tag: c.peerTag, rwnd: 1 << 16, os: 16, mis: 16, tsn: c.tsn, params: c.offers}
}

// takeInitAck learns the engine's side from its INIT ACK.
func (c *conv) takeInitAck(p emitted) {
	c.t.Helper()
	body := parseInit(p.chunks[0].value)
	list, err := walkTLVs(body.params)
	c.must(err)
	c.cookie, _ = findTLV(list, 7)
	c.tag, c.engTSN = body.tag, body.tsn
}

// establishServer plays a client.
func (c *conv) establishServer() *conv {
	c.t.Helper()
	c.injectVT(0, initChunk(c.ownInit()))
	c.takeInitAck(c.expectOwn(ctInitAck))
	c.inject(tlv32(ctCookieEcho, 0, c.cookie))
	c.expectOwn(ctCookieAck)
	ev := c.event(assoc.CommUp)
	if !ev.Incoming {
		c.t.Fatalf("%+v: not incoming", ev)
	}
	c.id = ev.Assoc
	return c
}

// takeInit learns the engine's side from its INIT.
func (c *conv) takeInit() emitted {
	c.t.Helper()
	p := c.expect(ctInit)
	body := parseInit(p.chunks[0].value)
	c.tag, c.engTSN = body.tag, body.tsn
	return p
}

var peerCookie = []byte("a cookie that only we understand")

func (c *conv) ownInitAck() []byte {
	b := c.ownInit()
	b.params = cat(tlv16(7, peerCookie), b.params)
	return initAckChunk(b)
}

// toCookieEchoed plays a server as far as COOKIE ECHO.
func (c *conv) toCookieEchoed() *conv {
	c.t.Helper()
	c.connect()
	c.takeInit()
	c.inject(c.ownInitAck())
	p := c.expectOwn(ctCookieEcho)
	if !bytes.Equal(p.chunks[0].value, peerCookie) {
		c.t.Fatal("the cookie was altered (SCTP-2-08)")
	}
	return c
}

// establishClient plays a server.
func (c *conv) establishClient() *conv {
	c.t.Helper()
	c.toCookieEchoed()
	c.inject(tlv32(ctCookieAck, 0, nil))
	if ev := c.event(assoc.CommUp); ev.Incoming || ev.Assoc != c.id {
		c.t.Fatalf("bad CommUp %+v", ev)
	}
	return c
}

// states are the ways into each state of section 4; the association of every
// state but CLOSED is c.id.
var states = []string{
	"CLOSED", "COOKIE-WAIT", "COOKIE-ECHOED", "ESTABLISHED",
	"SHUTDOWN-PENDING", "SHUTDOWN-SENT", "SHUTDOWN-RECEIVED", "SHUTDOWN-ACK-SENT",
}

// inState brings a fresh engine into a state.
func inState(t testing.TB, state string, opts ...option) *conv {
	t.Helper()
	c := newConv(t, opts...)
	switch state {
	case "CLOSED":
		return c
	case "COOKIE-WAIT":
		c.connect()
		c.takeInit()
	case "COOKIE-ECHOED":
		c.toCookieEchoed()
	default:
		c.establishClient()
	}
	switch state {
	case "SHUTDOWN-PENDING":
		c.send("pending")
		c.expectOwn(c.dataType())
		c.shutdown()
	case "SHUTDOWN-SENT":
		c.shutdown()
		c.expectOwn(ctShutdown)
	case "SHUTDOWN-RECEIVED":
		c.send("pending")
		c.expectOwn(c.dataType())
		c.inject(tlv32(ctShutdown, 0, u32(c.engTSN-1)))
		c.event(assoc.ShutdownEvent)
	case "SHUTDOWN-ACK-SENT":
		c.inject(tlv32(ctShutdown, 0, u32(c.engTSN-1)))
		c.expectOwn(ctShutdownAck)
		c.event(assoc.ShutdownEvent)
	}
	c.wantState(state)
	c.quiet()
	return c
}

// dataType is what the engine sends data in.
func (c *conv) dataType() byte {
	if bytes.IndexByte(c.offers, ctIData) >= 0 { // among its extensions
		return ctIData
	}
	return ctData
}

// forget ends a script whose association is of no further interest.
func (c *conv) forget() { c.out, c.events = nil, nil }
