package loop_test

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/librserpool/librserpool/core/internal/driver"
	"github.com/librserpool/librserpool/core/internal/loop"
	"github.com/librserpool/librserpool/core/internal/loop/memnet"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

func listenTCP(at netip.AddrPort) (net.Listener, error) { return net.Listen("tcp", at.String()) }

// startTCP starts a registrar whose SCTP is in memory and whose TCP is not.
func startTCP(t *testing.T) (*memnet.Net, *loop.Registrar) {
	t.Helper()
	mem := memnet.New()
	r, err := loop.StartRegistrar(loop.RegistrarConfig{
		ASAP: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")},
		Open: mem.Open, ListenTCP: listenTCP, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return mem, r
}

// caller is a pool user at the other end of a TCP connection.
type caller struct {
	*testing.T
	net.Conn
	stream *loop.Stream
}

func call(t *testing.T, r *loop.Registrar) *caller {
	t.Helper()
	conn, err := net.Dial("tcp", r.TCPAddrs()[0].String())
	if err != nil {
		t.Fatal(err)
	}
	c := &caller{t, conn, loop.NewStream(conn)}
	t.Cleanup(c.stream.Close)
	return c
}

func (c *caller) ask(m asap.Message) {
	c.Helper()
	b, err := asap.Append(nil, m)
	if err == nil {
		err = c.stream.Send(b)
	}
	if err != nil {
		c.Fatal(err)
	}
}

func (c *caller) answer() asap.Message {
	c.Helper()
	b, err := c.stream.Receive(time.Now().Add(10 * time.Second))
	if err != nil {
		c.Fatal(err)
	}
	m, _, err := asap.Parse(b)
	if err != nil {
		c.Fatal(err)
	}
	return m
}

func (c *caller) closed() {
	c.Helper()
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	if n, err := io.Copy(io.Discard, c.Conn); errors.Is(err, syscall.ECONNRESET) {
	} else if n != 0 || err != nil {
		c.Errorf("%d bytes and %v, want the end of the connection", n, err)
	}
}

func unknown(h protocol.PoolHandle) asap.HandleResolutionResponse {
	return asap.HandleResolutionResponse{Handle: h, Causes: []protocol.Cause{{Code: protocol.CauseUnknownPoolHandle}}}
}

// ASAP-3.3-11, ASAP-2.1-01: TCP has the port number of SCTP; resolutions are
// answered there, registrations and deregistrations refused.
func TestTCP(t *testing.T) {
	_, r := startTCP(t)
	if r.TCPAddrs()[0] != r.ASAPAddrs()[0] {
		t.Errorf("TCP at %v, SCTP at %v", r.TCPAddrs(), r.ASAPAddrs())
	}
	pu := call(t, r)
	for _, h := range []protocol.PoolHandle{"echo", "x", "padded!"} { // COM-4-02: padding between messages
		pu.ask(asap.HandleResolution{Handle: h})
	}
	for _, h := range []protocol.PoolHandle{"echo", "x", "padded!"} {
		if diff := cmp.Diff(asap.Message(unknown(h)), pu.answer()); diff != "" {
			t.Error(diff)
		}
	}
	pu.ask(asap.Registration{Handle: "echo", Element: protocol.Element{
		ID: 5, Life: 300, Policy: protocol.Policy{Type: protocol.RoundRobin},
		User: protocol.Transport{Protocol: protocol.TCP, Port: 80, Addrs: []netip.Addr{memnet.Loopback}},
	}})
	if m, ok := pu.answer().(asap.RegistrationResponse); !ok || !m.Rejected {
		t.Errorf("a registration over TCP: %v", m)
	}
	pu.ask(asap.Deregistration{Handle: "echo", ID: 5})
	if m, ok := pu.answer().(asap.DeregistrationResponse); !ok || m.ID != 5 {
		t.Errorf("a deregistration over TCP: %v", m)
	}
	if pools := r.Snapshot().Pools; len(pools) != 0 {
		t.Errorf("pools %v", pools)
	}
}

// ASAP-2.2.5-01: a pool user subscribes over TCP too.
func TestTCPSubscription(t *testing.T) {
	mem, r := startTCP(t)
	pe := connect(t, mem, r.ASAPAddrs())
	register := func(id protocol.PEID) {
		e := pe.element()
		e.ID = id
		b, err := asap.Append(nil, asap.Registration{Handle: "echo", Element: e})
		if err == nil {
			err = pe.port.SendControl(pe.assoc, protocol.PPIDASAP, b)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	register(1)
	pu := call(t, r)
	for {
		pu.ask(asap.HandleResolution{Handle: "echo", Subscribe: true})
		if m := pu.answer().(asap.HandleResolutionResponse); len(m.Elements) == 1 && m.UpdatesAccepted {
			break
		}
	}
	register(2)
	for len(pu.answer().(asap.HandleResolutionResponse).Elements) != 2 {
	}
}

// COM-4-07: when message boundaries are lost the connection is closed, and
// nothing else is. What merely makes no sense is dropped.
func TestTCPBadInput(t *testing.T) {
	_, r := startTCP(t)
	good := call(t, r)
	for _, bytes := range []string{
		"\x05\x00\x00\x03\x00\x00\x00\x00", // a length less than the header's
		"GET / HTTP/1.0\r\n\r\n",           // a frame of 8 KiB that never comes: closed when the caller gives up
	} {
		c := call(t, r)
		if _, err := c.Write([]byte(bytes)); err != nil {
			t.Fatal(err)
		}
		if bytes[0] == 'G' {
			_ = c.Conn.(*net.TCPConn).CloseWrite()
		}
		c.closed()
	}
	c := call(t, r)
	if _, err := c.Write([]byte("\x0e\x00\x00\x04" + "\x7f\x00\x00\x05x   ")); err != nil { // COM-4-04: reported
		t.Fatal(err)
	}
	if m, ok := c.answer().(asap.Error); !ok || m.Causes[0].Code != protocol.CauseUnrecognizedMessage {
		t.Errorf("got %v", m)
	}
	for _, pu := range []*caller{c, good} {
		pu.ask(asap.HandleResolution{Handle: "echo"})
		if _, ok := pu.answer().(asap.HandleResolutionResponse); !ok {
			t.Error("no answer")
		}
	}
}

// SEC-2.14: more connections than there are places: those that were silent the
// longest go, the newest is served.
func TestTCPManyConnections(t *testing.T) {
	_, r := startTCP(t)
	first := call(t, r)
	var last *caller
	for range 1000 {
		last = call(t, r)
	}
	first.closed()
	last.ask(asap.HandleResolution{Handle: "echo"})
	last.answer()
	for deadline := time.Now().Add(30 * time.Second); r.Snapshot().Links > 1000; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) { // the registrar hears of the end a little later
			t.Fatalf("%d links", r.Snapshot().Links)
		}
	}
}

// A registrar that closes ends its connections and gives its ports back; one
// whose TCP port is taken says so.
func TestTCPClose(t *testing.T) {
	mem, r := startTCP(t)
	pu := call(t, r)
	at := r.ASAPAddrs()
	_, err := loop.StartRegistrar(loop.RegistrarConfig{
		ASAP: at, Open: memnet.New().Open, ListenTCP: listenTCP, Logger: slog.New(slog.DiscardHandler),
	})
	if !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a second one on the same TCP port: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	pu.closed()
	again, err := loop.StartRegistrar(loop.RegistrarConfig{
		ASAP: at, Open: mem.Open, ListenTCP: listenTCP, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
}

// What a Stream cannot do it says: not read, cut off in the middle.
func TestStream(t *testing.T) {
	a, b := net.Pipe()
	s := loop.NewStream(a)
	var err error
	for range 100 {
		if err = s.Send(make([]byte, 8)); err != nil {
			break
		}
	}
	if !errors.Is(err, driver.ErrNotRead) {
		t.Errorf("nobody reads: %v", err)
	}
	b.Close()
	if _, err := s.Receive(time.Time{}); err == nil {
		t.Error("a message from nobody")
	}
	s.Close()
	if err := s.Send(nil); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed: %v", err)
	}

	a, b = net.Pipe()
	s = loop.NewStream(a)
	go func() {
		_, _ = b.Write([]byte{5, 0, 0xff, 0xff})
		b.Close()
	}()
	if _, err := s.Receive(time.Time{}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("cut off: %v", err)
	}
}
