package interop

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/transport/transporttest"
)

// echoed sends a message and expects it back.
func (p *pair) echoed(id assoc.ID, size int) {
	p.t.Helper()
	p.send(id, pattern(size), assoc.SendInfo{Stream: 1, PPID: 9})
	if _, b := p.want(assoc.Message); string(b) != string(pattern(size)) {
		p.t.Fatalf("%d bytes came back as %d, or changed", size, len(b))
	}
}

// SCTP-7-42: a peer that was killed comes back with the same ports.
func TestUsrsctpRestart(t *testing.T) {
	p := newPair(t, "127.0.0.1")
	p.connected()
	p.peer.Kill()
	p.startPeer()
	p.tell("connect %s %d", p.mine.Addr(), p.mine.Port())
	p.expect(0, `^up `)
	for {
		// Either the restart is seen, or the heartbeats had ended the first
		// association before.
		if info, _ := p.recv(); info.Kind == assoc.Restart || info.Kind == assoc.CommUp {
			p.echoed(info.Assoc, 5000)
			return
		}
	}
}

// SCTP-7-42: our endpoint goes without a word that arrives, and another one at
// its address takes the association over.
func TestUsrsctpRestartOfOurs(t *testing.T) {
	p := newPairOver(t, "127.0.0.1", &transporttest.Link{})
	p.echoed(p.connect(), 100)
	const abort = 6 // the type of the first chunk, after the common header
	lost := make(chan struct{}, 1)
	p.toPeer.Tap(func(_, _ netip.AddrPort, b []byte) {
		if len(b) > 12 && b[12] == abort {
			select {
			case lost <- struct{}{}:
			default:
			}
		}
	})
	p.toPeer.Dark(true)
	p.ours.Close()
	select {
	case <-lost:
	case <-time.After(patience):
		t.Fatal("no ABORT at the end of an endpoint")
	}
	p.toPeer.Dark(false)
	p.listen(p.mine)
	id, err := p.ours.Connect(p.addresses(), &p.params)
	if err != nil {
		t.Fatal(err)
	}
	p.want(assoc.CommUp)
	p.expect(0, `^restart `)
	p.echoed(id, 5000)
}

// SCTP-7-40: both open at once; one association comes of it.
func TestUsrsctpSimultaneousOpen(t *testing.T) {
	for range 10 {
		p := newPair(t, "127.0.0.1")
		p.tell("connect %s %d", p.mine.Addr(), p.mine.Port())
		id, err := p.ours.Connect(p.addresses(), &p.params)
		if err != nil && !errors.Is(err, assoc.ErrAlreadyExists) {
			t.Fatal(err)
		}
		p.want(assoc.CommUp)
		p.expect(0, `^up `)
		p.echoed(id, 5000)
		p.ours.Close()
		p.peer.Kill()
	}
}
