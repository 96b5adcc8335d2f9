package loop_test

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/loop"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
	"github.com/librserpool/librserpool/core/internal/transport"
	"github.com/librserpool/librserpool/core/internal/transport/userland"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// besieger is a program that speaks just enough SCTP to do harm.
type besieger struct {
	*testing.T
	conn   *net.UDPConn
	header chunk.Header
	tsn    uint32
	window uint32 // that the other side offered
	buf    [4096]byte
}

func newBesieger(t *testing.T, to netip.AddrPort) *besieger {
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	b := &besieger{T: t, conn: conn, tsn: 1000}
	b.header = chunk.Header{SrcPort: uint16(conn.LocalAddr().(*net.UDPAddr).Port), DstPort: to.Port()}
	b.send(chunk.AppendInit(nil, chunk.TypeInit, &chunk.Init{Tag: 1, Window: 1 << 16, OutStreams: 8, InStreams: 8, TSN: b.tsn}, 0))
	ack, err := chunk.ParseInit(b.receive(chunk.TypeInitAck))
	if err != nil {
		t.Fatal(err)
	}
	b.header.Tag, b.window = ack.Tag, ack.Window
	for params := ack.Params; ; {
		p, rest, err := chunk.NextParam(params)
		if err != nil {
			t.Fatal("no cookie: ", err)
		}
		if params = rest; p.Type == chunk.ParamStateCookie {
			b.send(chunk.AppendRaw(nil, chunk.TypeCookieEcho, 0, p.Value))
			break
		}
	}
	b.receive(chunk.TypeCookieAck)
	return b
}

func (b *besieger) send(c []byte) {
	p := append(chunk.AppendHeader(nil, b.header), c...)
	chunk.Seal(p)
	if _, err := b.conn.Write(p); err != nil {
		b.Fatal(err)
	}
}

// receive waits for a packet that begins with a chunk of a type.
func (b *besieger) receive(kind chunk.Type) chunk.Raw {
	b.Helper()
	if err := b.conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		b.Fatal(err)
	}
	for {
		n, err := b.conn.Read(b.buf[:])
		if err != nil {
			b.Fatal(err)
		}
		_, chunks, err := chunk.ParsePacket(b.buf[:n])
		if err != nil {
			b.Fatal(err)
		}
		if c, _, err := chunk.Next(chunks); err == nil && c.Type == kind {
			return c
		}
	}
}

// fill sends total bytes, but not what comes before them.
func (b *besieger) fill(total int) {
	part := make([]byte, 16<<10)
	for i := range uint32(total / len(part)) {
		b.send(chunk.AppendData(nil, &chunk.Data{
			Flags: chunk.FlagBegin | chunk.FlagEnd, TSN: b.tsn + 1 + i, SSN: uint16(1 + i), PPID: protocol.PPIDASAP, Payload: part,
		}))
	}
}

// 120 associations leave out their first TSN and send 4 MiB behind it; whoever
// registers meanwhile is registered (SCTP-6-07, SCTP-6-08).
func TestRegistrationsUnderSiege(t *testing.T) {
	open := func(cfg transport.Config) (transport.Endpoint, string, error) {
		e, err := userland.Listen(cfg)
		return e, transport.KindUserland, err
	}
	r, err := loop.StartRegistrar(loop.RegistrarConfig{
		ASAP: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")},
		Open: open, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	at := r.ASAPAddrs()[0]
	for range 120 {
		b := newBesieger(t, at)
		if b.window > 1<<19 {
			t.Fatalf("a registrar offers a window of %d bytes", b.window)
		}
		b.fill(4 << 20)
	}
	for i := range uint32(20) {
		ep, err := userland.Listen(transport.Config{Local: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}})
		if err != nil {
			t.Fatal(err)
		}
		defer ep.Close()
		port := loop.NewPort(ep)
		id, err := port.Connect([]netip.AddrPort{at}, nil)
		if err != nil {
			t.Fatal(err)
		}
		b, err := asap.Append(nil, asap.Registration{Handle: "pool", Element: protocol.Element{
			ID: protocol.PEID(i + 1), Life: 300, Policy: protocol.Policy{Type: protocol.RoundRobin},
			User: protocol.Transport{
				Protocol: protocol.SCTP, Use: protocol.DataAndControl,
				Port: ep.LocalAddrs()[0].Port(), Addrs: []netip.Addr{at.Addr()},
			},
		}})
		if err != nil {
			t.Fatal(err)
		}
		if err := port.SendControl(id, protocol.PPIDASAP, b); err != nil {
			t.Fatal(err)
		}
		answered(t, port)
	}
}

// answered waits for the answer to a registration.
func answered(t *testing.T, port *loop.Port) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		var info assoc.RecvInfo
		b, err := port.Receive(&info)
		switch {
		case errors.Is(err, assoc.ErrWouldBlock):
			continue
		case err != nil:
			t.Fatal(err)
		case info.Kind == assoc.Message:
			m, _, err := asap.Parse(b)
			if a, ok := m.(asap.RegistrationResponse); !ok || a.Rejected {
				t.Fatalf("%T %+v %v", m, m, err)
			}
			return
		case info.Kind != assoc.CommUp:
			t.Fatalf("%+v", info)
		}
	}
	t.Fatal("no answer")
}
