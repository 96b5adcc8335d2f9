package interop

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/transport"
	"github.com/librserpool/librserpool/core/internal/transport/transporttest"
	"github.com/librserpool/librserpool/core/internal/transport/userland"
	"github.com/librserpool/librserpool/tests/go/proc"
)

// patience guards against waiting for ever; it measures nothing.
const patience = 30 * time.Second

var peerDir string // where buildPeer puts what it builds

var buildPeer = sync.OnceValues(func() (string, error) {
	var err error
	if peerDir, err = os.MkdirTemp("", "usrsctp-peer"); err != nil {
		return "", err
	}
	bin := filepath.Join(peerDir, "usrsctp_peer")
	out, err := exec.Command("cc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1", "-o", bin,
		"testdata/usrsctp_peer.c", "-lusrsctp", "-lpthread").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build the peer: %w\n%s", err, out)
	}
	return bin, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if peerDir != "" {
		os.RemoveAll(peerDir)
	}
	os.Exit(code)
}

// pair is one endpoint of ours and one usrsctp process.
type pair struct {
	t      *testing.T
	ours   transport.Endpoint
	peer   *proc.Proc
	addr   netip.AddrPort // usrsctp's SCTP address
	mine   netip.AddrPort
	params assoc.Params
	wake   chan struct{}
	read   int // lines of the peer that expectNext has passed

	settings       []string             // of usrsctp; and its addresses
	peerUDP, toUs  uint16               // UDP ports: usrsctp's own, and the one that leads to us
	toPeer, toOurs *transporttest.Relay // in front of either, or nil
}

func freeUDPPort(t *testing.T, ip string) uint16 {
	c, err := net.ListenPacket("udp", net.JoinHostPort(ip, "0"))
	if err != nil {
		t.Skipf("no %s here: %v", ip, err)
	}
	defer c.Close()
	return netip.MustParseAddrPort(c.LocalAddr().String()).Port()
}

// needPeer skips a test where usrsctp is not installed.
func needPeer(t *testing.T) {
	t.Helper()
	if _, err := os.Stat("/usr/include/usrsctp.h"); err != nil {
		t.Skip("not run: usrsctp is not installed (Debian package libusrsctp-dev)")
	}
	if _, err := buildPeer(); err != nil {
		t.Fatal(err)
	}
}

func newPair(t *testing.T, ip string) *pair { return newPairOver(t, ip, nil) }

// newPairOver puts relays that play the link in front of both, if there is one.
func newPairOver(t *testing.T, ip string, link *transporttest.Link, settings ...string) *pair {
	t.Helper()
	needPeer(t)
	local := netip.AddrPortFrom(netip.MustParseAddr(ip), 0)
	p := &pair{t: t, settings: settings, addr: netip.AddrPortFrom(local.Addr(), 5001), peerUDP: freeUDPPort(t, ip)}
	p.params = assoc.Params{EncapPort: p.peerUDP, AssocMaxRetrans: 20, PathMaxRetrans: 20, MaxInitRetransmits: 20,
		ConnectTimeout: patience, CookieLife: patience}
	if link != nil {
		p.toPeer = transporttest.NewRelay(t, netip.AddrPortFrom(local.Addr(), p.peerUDP), *link)
		p.params.EncapPort = p.toPeer.Port()
	}
	p.listen(local)
	p.toUs = p.mine.Port()
	if link != nil {
		p.toOurs = transporttest.NewRelay(t, p.mine, *link)
		p.toUs = p.toOurs.Port()
	}
	p.startPeer()
	return p
}

// listen opens our endpoint.
func (p *pair) listen(local netip.AddrPort) {
	p.t.Helper()
	p.listenConfig(transport.Config{Local: []netip.AddrPort{local}, Params: p.params})
}

func (p *pair) listenConfig(cfg transport.Config) {
	p.t.Helper()
	ours, err := userland.Listen(cfg)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { ours.Close() })
	wake := make(chan struct{}, 1)
	p.ours, p.mine, p.wake = ours, ours.LocalAddrs()[0], wake
	ours.Notify(func() {
		select {
		case wake <- struct{}{}:
		default:
		}
	}, func(assoc.ID) {})
}

// startPeer starts usrsctp.
func (p *pair) startPeer() {
	p.t.Helper()
	bin, err := buildPeer()
	if err != nil {
		p.t.Fatal(err)
	}
	family := "4"
	if p.addr.Addr().Is6() {
		family = "6"
	}
	args := append([]string{"5001", strconv.Itoa(int(p.peerUDP)), strconv.Itoa(int(p.toUs)), family}, p.settings...)
	p.peer, err = proc.Start("usrsctp", nil, bin, args...)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(p.peer.Kill)
	p.expect(0, `^ready`)
}

func (p *pair) expect(mark int, re string, args ...any) []string {
	p.t.Helper()
	_, m, err := p.peer.Expect(mark, regexp.MustCompile(fmt.Sprintf(re, args...)), patience)
	if err != nil {
		p.t.Fatal(err)
	}
	return m
}

// expectNext is expect for what the peer has printed since the last one.
func (p *pair) expectNext(re string) {
	p.t.Helper()
	pattern := regexp.MustCompile(re)
	if _, _, err := p.peer.Expect(p.read, pattern, patience); err != nil {
		p.t.Fatal(err)
	}
	for i, l := range p.peer.Lines(p.read) {
		if pattern.MatchString(l.Text) {
			p.read += i + 1
			return
		}
	}
}

func (p *pair) tell(format string, args ...any) {
	p.t.Helper()
	if err := p.peer.Write(fmt.Sprintf(format+"\n", args...)); err != nil {
		p.t.Fatal(err)
	}
}

// recv returns the next whole message or notification.
func (p *pair) recv() (assoc.RecvInfo, []byte) {
	p.t.Helper()
	deadline := time.After(patience)
	var whole []byte
	buf := make([]byte, 64<<10)
	for {
		var info assoc.RecvInfo
		n, err := p.ours.Recv(buf, &info)
		switch {
		case err == nil && info.More:
			whole = append(whole, buf[:n]...)
		case err == nil:
			return info, append(whole, buf[:n]...)
		case errors.Is(err, assoc.ErrWouldBlock):
			select {
			case <-p.wake:
			case <-deadline:
				p.t.Fatalf("nothing arrives; the peer printed %v", p.peer.Lines(0))
			}
		default:
			p.t.Fatal(err)
		}
	}
}

// want skips path notifications and returns the next other thing, which must
// be of the given kind.
func (p *pair) want(kind assoc.Kind) (assoc.RecvInfo, []byte) {
	p.t.Helper()
	for {
		info, b := p.recv()
		if info.Kind == assoc.PeerAddrChange && kind != assoc.PeerAddrChange {
			continue
		}
		if info.Kind != kind {
			p.t.Fatalf("got kind %d (%v), want %d", info.Kind, info.Err, kind)
		}
		return info, b
	}
}

// addresses are those of usrsctp.
func (p *pair) addresses() []netip.AddrPort { return []netip.AddrPort{p.addr} }

// connect opens the association from our side.
func (p *pair) connect() assoc.ID {
	p.t.Helper()
	id, err := p.ours.Connect(p.addresses(), &p.params)
	if err != nil {
		p.t.Fatal(err)
	}
	p.want(assoc.CommUp)
	p.expect(0, `^up `)
	return id
}

// connected opens it from the peer's side.
func (p *pair) connected() assoc.ID {
	p.t.Helper()
	p.tell("connect %s %d", p.mine.Addr(), p.mine.Port())
	info, _ := p.want(assoc.CommUp)
	p.expect(0, `^up `)
	return info.Assoc
}

func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i/251)
	}
	return b
}

func (p *pair) send(id assoc.ID, b []byte, info assoc.SendInfo) {
	p.t.Helper()
	info.Assoc = id
	deadline := time.Now().Add(patience)
	for {
		err := p.ours.Send(b, &info)
		if !errors.Is(err, assoc.ErrWouldBlock) {
			if err != nil {
				p.t.Fatal(err)
			}
			return
		}
		if time.Now().After(deadline) {
			p.t.Fatal("the send buffer stays full")
		}
		time.Sleep(time.Millisecond)
	}
}

func both(t *testing.T, run func(t *testing.T, p *pair, open func() assoc.ID)) {
	for _, ip := range []string{"127.0.0.1", "::1"} {
		t.Run(ip+"/ours opens", func(t *testing.T) { p := newPair(t, ip); run(t, p, p.connect) })
		t.Run(ip+"/usrsctp opens", func(t *testing.T) { p := newPair(t, ip); run(t, p, p.connected) })
	}
}

// SCTP-7-41: sizes around every edge, streams, unordered, PPID, there and back.
func TestUsrsctpEcho(t *testing.T) {
	both(t, func(t *testing.T, p *pair, open func() assoc.ID) {
		id := open()
		for i, n := range []int{1, 2, 3, 4, 100, 1400, 1423, 1424, 1443, 1444, 1445, 9000, 64 << 10, 256 << 10, 1 << 20} {
			data := pattern(n)
			stream := uint16(i % 10)
			p.send(id, data, assoc.SendInfo{Stream: stream, PPID: uint32(1000 + i), Unordered: i%3 == 2})
			info, got := p.want(assoc.Message)
			if string(got) != string(data) || info.Stream != stream || info.PPID != uint32(1000+i) || info.Unordered != (i%3 == 2) {
				t.Fatalf("%d bytes: came back as %d bytes, %+v", n, len(got), info)
			}
		}
	})
}

// SCTP-7-41: every size around where one packet more is needed, at usual MTUs.
func TestUsrsctpEdges(t *testing.T) {
	both(t, func(t *testing.T, p *pair, open func() assoc.ID) {
		id := open()
		var sizes []int
		for _, mtu := range []int{1200, 1280, 1500} {
			for packets := 1; packets <= 2; packets++ {
				for n := packets * (mtu - 130); n <= packets*mtu; n += packets {
					sizes = append(sizes, n)
				}
			}
		}
		go func() {
			for i, n := range sizes {
				p.send(id, pattern(n), assoc.SendInfo{PPID: uint32(i)})
			}
		}()
		for i, n := range sizes {
			if info, b := p.want(assoc.Message); info.PPID != uint32(i) || string(b) != string(pattern(n)) {
				t.Fatalf("%d bytes came back as %d, or changed", n, len(b))
			}
		}
	})
}

// SCTP-7-41: pipelined small messages keep their order in each stream.
func TestUsrsctpPipelined(t *testing.T) {
	both(t, func(t *testing.T, p *pair, open func() assoc.ID) {
		id := open()
		const n, streams = 20000, 10
		go func() {
			for i := range n {
				b := fmt.Appendf(nil, "%d", i)
				for errors.Is(p.ours.Send(b, &assoc.SendInfo{Assoc: id, Stream: uint16(i % streams), PPID: 7}), assoc.ErrWouldBlock) {
					time.Sleep(time.Millisecond)
				}
			}
		}()
		next := [streams]int{}
		for s := range next {
			next[s] = s
		}
		for range n {
			info, b := p.want(assoc.Message)
			i, err := strconv.Atoi(string(b))
			if err != nil || next[info.Stream] != i {
				t.Fatalf("stream %d: got %q, want %d", info.Stream, b, next[info.Stream])
			}
			next[info.Stream] += streams
		}
	})
}

// SCTP-7-40: either side ends, gracefully or not.
func TestUsrsctpEnds(t *testing.T) {
	t.Run("we shut down", func(t *testing.T) {
		both(t, func(t *testing.T, p *pair, open func() assoc.ID) {
			id := open()
			p.tell("echo 0")
			time.Sleep(10 * time.Millisecond) // let the command arrive before the data does
			for range 100 {
				p.send(id, pattern(3000), assoc.SendInfo{})
			}
			if err := p.ours.Shutdown(id); err != nil {
				t.Fatal(err)
			}
			p.want(assoc.ShutdownComplete)
			p.expect(0, `^shutdown-complete`)
			whole := 0
			for _, l := range p.peer.Lines(0) {
				if l.Text == "message 0 0 0 3000 1" {
					whole++
				}
			}
			if whole != 100 {
				t.Fatalf("%d of 100 messages arrived before the end", whole)
			}
		})
	})
	t.Run("usrsctp shuts down", func(t *testing.T) {
		both(t, func(t *testing.T, p *pair, open func() assoc.ID) {
			open()
			for range 50 {
				p.tell("send 1 5 0 2000")
			}
			p.tell("shutdown")
			for range 50 {
				if _, b := p.want(assoc.Message); string(b) != string(pattern(2000)) {
					t.Fatal("wrong data")
				}
			}
			p.want(assoc.ShutdownEvent)
			p.want(assoc.ShutdownComplete)
			p.expect(0, `^shutdown-complete`)
		})
	})
	t.Run("we abort", func(t *testing.T) {
		both(t, func(t *testing.T, p *pair, open func() assoc.ID) {
			if err := p.ours.Abort(open(), "enough"); err != nil {
				t.Fatal(err)
			}
			p.want(assoc.CommLost)
			p.expect(0, `^lost`)
		})
	})
	t.Run("usrsctp aborts", func(t *testing.T) {
		both(t, func(t *testing.T, p *pair, open func() assoc.ID) {
			open()
			p.tell("abort")
			if info, _ := p.want(assoc.CommLost); !errors.Is(info.Err, assoc.ErrAborted) {
				t.Fatalf("lost because of %v", info.Err)
			}
		})
	})
}
