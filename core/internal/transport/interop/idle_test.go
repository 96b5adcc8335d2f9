package interop

import (
	"errors"
	"net/netip"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/transport/transporttest"
)

// idle is how long nothing happens where that is tested: what the environment
// says, for patient ones, or else the given time.
func idle(short time.Duration) time.Duration {
	if d, err := time.ParseDuration(os.Getenv("RSERPOOL_TEST_IDLE")); err == nil {
		return d
	}
	return short
}

// SCTP-7-43: a reader that stops closes the window, for longer than a silent
// peer would be tolerated, and opens it again.
func TestUsrsctpWindow(t *testing.T) {
	both(t, func(t *testing.T, p *pair, open func() assoc.ID) {
		id := open()
		if err := p.ours.SetParams(id, assoc.Params{AssocMaxRetrans: 4, PathMaxRetrans: 4, RTOMin: 50 * time.Millisecond, RTOMax: 100 * time.Millisecond}); err != nil {
			t.Fatal(err)
		}
		p.tell("echo 0")
		p.tell("read 0")
		time.Sleep(50 * time.Millisecond) // the commands travel beside the data
		// More than both buffers hold: Send blocks until the peer reads.
		const n, size = 300, 50000
		time.AfterFunc(min(idle(time.Second), 20*time.Second), func() { p.tell("read 1") })
		for range n {
			p.send(id, pattern(size), assoc.SendInfo{})
		}
		for range n {
			p.expectNext(`^message 0 0 0 50000 1`)
		}
	})
}

// SCTP-7-43: heartbeats of both sides, and nothing else, keep an association.
func TestUsrsctpHeartbeats(t *testing.T) {
	for _, opener := range []string{"ours", "usrsctp"} {
		t.Run(opener+" opens", func(t *testing.T) {
			p := newPairOver(t, "127.0.0.1", &transporttest.Link{}, "heartbeat=200")
			if err := p.ours.SetParams(0, assoc.Params{HeartbeatInterval: 200 * time.Millisecond}); err != nil {
				t.Fatal(err)
			}
			p.params.HeartbeatInterval = 200 * time.Millisecond
			open := p.connect
			if opener == "usrsctp" {
				open = p.connected
			}
			id := open()
			var seen [2][6]atomic.Int32 // by sender, ours first, and first chunk
			count := func(_, _ netip.AddrPort, b []byte) {
				if len(b) > 12 && b[12] < 6 {
					sender := 0
					if b[0] == byte(p.addr.Port()>>8) && b[1] == byte(p.addr.Port()) {
						sender = 1
					}
					seen[sender][b[12]].Add(1)
				}
			}
			p.toPeer.Tap(count)
			p.toOurs.Tap(count)
			time.Sleep(idle(time.Second))
			const heartbeat, ack = 4, 5
			enough := func() bool {
				for sender := range seen {
					if seen[sender][heartbeat].Load() < 3 || seen[sender][ack].Load() < 3 {
						return false
					}
				}
				return true
			}
			for end := time.Now().Add(patience); !enough(); time.Sleep(time.Millisecond) {
				if time.Now().After(end) {
					t.Fatal("not three heartbeats and answers of each side")
				}
			}
			st, err := p.ours.Status(id)
			if err != nil || st.State != "ESTABLISHED" || !st.Paths[0].Active || st.Paths[0].SRTT == 0 {
				t.Fatalf("after heartbeats: %+v, %v", st, err)
			}
			p.echoes(id)
		})
	}
}

// SCTP-7-43: a peer that does not answer any more is found dead, whether its
// host says that it has gone or its process has only stopped.
func TestUsrsctpDies(t *testing.T) {
	for _, test := range []struct {
		name string
		end  func(p *pair) error
	}{
		{"killed", func(p *pair) error { p.peer.Kill(); return nil }},
		{"stopped", func(p *pair) error { return syscall.Kill(p.peer.Pid(), syscall.SIGSTOP) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPair(t, "127.0.0.1")
			id := p.connect()
			p.echoes(id)
			quick := assoc.Params{AssocMaxRetrans: 3, RTOMin: 50 * time.Millisecond, RTOMax: 100 * time.Millisecond, HeartbeatInterval: 100 * time.Millisecond}
			if err := p.ours.SetParams(id, quick); err != nil {
				t.Fatal(err)
			}
			if err := test.end(p); err != nil {
				t.Fatal(err)
			}
			info, _ := p.want(assoc.CommLost)
			if err := info.Err; !errors.Is(err, assoc.ErrTimeout) && !errors.Is(err, assoc.ErrUnreachable) {
				t.Errorf("lost because of %v", err)
			}
		})
	}
}
