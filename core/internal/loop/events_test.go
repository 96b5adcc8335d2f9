package loop

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/registrar"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// recorder is a machine that only keeps what it is told.
type recorder struct{ events []registrar.Event }

func (m *recorder) Step(_ time.Time, ev registrar.Event) { m.events = append(m.events, ev) }
func (m *recorder) Advance(time.Time)                    {}
func (m *recorder) Next() (time.Time, bool)              { return time.Time{}, false }
func (m *recorder) Drain() []registrar.Effect            { return nil }

// recording is a registrar around a recorder.
type recording struct {
	*testing.T
	*Registrar
	machine recorder
	lines   strings.Builder
}

func newRecording(t *testing.T) *recording {
	r := &recording{T: t, Registrar: &Registrar{enrp: &channel{}}}
	r.log = slog.New(slog.NewTextHandler(&r.lines, nil))
	r.loop = New(&r.mu, &r.machine, func(registrar.Effect) {})
	return r
}

// told wants events since the last call.
func (r *recording) told(want ...registrar.Event) {
	r.Helper()
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	if diff := cmp.Diff(want, r.machine.events, byValue, cmp.Comparer(func(a, b error) bool { return a == b }), cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
		r.Errorf("the machine is told (-want +got):\n%s", diff)
	}
	r.machine.events = nil
}

// names is a name service with answers that take a second.
type names map[string]netip.Addr

var errNoName = errors.New("no such name")

func (n names) lookUp(_ context.Context, _, name string) ([]netip.Addr, error) {
	time.Sleep(time.Second)
	if a, known := n[name]; known {
		return []netip.Addr{a}, nil
	}
	return nil, errNoName
}

// TestPeerNames: the machine is told what came of a look-up, with the last addresses of
// names that have none any more; of names that changed meanwhile it is told nothing.
func TestPeerNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecording(t)
		dns := names{"a.example": netip.MustParseAddr("192.0.2.1"), "b.example": netip.MustParseAddr("192.0.2.2")}
		atA, atB := netip.MustParseAddrPort("192.0.2.1:1"), netip.MustParseAddrPort("192.0.2.2:2")
		r.names = newPeerNames(RegistrarConfig{PeerNames: []string{"a.example:1"}, LookUp: dns.lookUp})
		defer r.names.cancel()
		lookUp := func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.startLookUp()
		}
		lookUp()
		r.told()
		time.Sleep(time.Second)
		r.told(registrar.PeersLookedUp{Found: []netip.AddrPort{atA}})

		r.SetPeerNames([]string{"a.example:1"})
		r.told()
		both := []string{"a.example:1", "b.example:2"}
		r.SetPeerNames(both)
		both[0] = "spoilt by the caller"
		r.told(registrar.PeerNamesChanged{})

		delete(dns, "a.example")
		lookUp()
		time.Sleep(time.Second)
		synctest.Wait()
		r.mu.Lock()
		failed := r.machine.events[0].(registrar.PeersLookedUp).Failed
		r.mu.Unlock()
		if len(failed) != 1 || failed[0].Name != "a.example:1" || !errors.Is(failed[0].Err, errNoName) {
			t.Errorf("failed: %+v", failed)
		}
		r.told(registrar.PeersLookedUp{Found: []netip.AddrPort{atA, atB}, Failed: failed})

		lookUp()
		r.SetPeerNames([]string{"b.example:2"})
		r.told(registrar.PeerNamesChanged{})
		time.Sleep(time.Second)
		r.told()
		time.Sleep(time.Second)
		r.told(registrar.PeersLookedUp{Found: []netip.AddrPort{atB}})

		lookUp()
		r.mu.Lock()
		r.closed = true
		r.mu.Unlock()
		time.Sleep(time.Second)
		r.told()
		r.SetPeerNames(nil)
		r.told()
		r.closed, r.enrp = false, nil
		r.SetPeerNames(nil)
		r.told()
	})
}

// TestLookUpEnds: one that gets no answer is given up, and with its registrar.
func TestLookUpEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent := Resolver(func(ctx context.Context, _, _ string) ([]netip.Addr, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		began := time.Now()
		for _, a := range silent.LookUp(t.Context(), "ip", []string{"a:1", "b:2"}) {
			if !errors.Is(a.Err, context.DeadlineExceeded) || time.Since(began) != 5*time.Second {
				t.Errorf("%s: %v after %v", a.Name, a.Err, time.Since(began))
			}
		}
		p := newPeerNames(RegistrarConfig{LookUp: silent})
		time.AfterFunc(time.Second, p.cancel)
		began = time.Now()
		if a := silent.LookUp(p.ctx, "ip", []string{"a:1"}); !errors.Is(a[0].Err, context.Canceled) || time.Since(began) != time.Second {
			t.Errorf("%v after %v", a[0].Err, time.Since(began))
		}
	})
}

// datagrams is a connection at a group: it brings what a test puts into it.
type datagrams struct {
	net.PacketConn
	arriving chan []byte // empty: an error of one datagram
	from     *net.UDPAddr
	sent     []string
	err      error // of sending
}

func (d *datagrams) ReadFrom(b []byte) (int, net.Addr, error) {
	got, open := <-d.arriving
	switch {
	case !open:
		return 0, nil, net.ErrClosed
	case len(got) == 0:
		return 0, nil, errors.New("something about one datagram")
	}
	return copy(b, got), d.from, nil
}

func (d *datagrams) WriteTo(b []byte, _ net.Addr) (int, error) {
	if d.err == nil {
		d.sent = append(d.sent, string(b))
	}
	return len(b), d.err
}

func (d *datagrams) Close() error {
	if d.arriving != nil {
		close(d.arriving)
	}
	return nil
}

// member is a registrar's place in a group whose datagrams are those of d.
func (d *datagrams) member() *member {
	d.arriving, d.from = make(chan []byte), &net.UDPAddr{IP: net.ParseIP("fe80::9"), Port: 7, Zone: "1"}
	return &member{receiver: &GroupReceiver{d}, sender: &groupSender{&datagrams{}, &net.UDPAddr{}}}
}

// TestHeardInGroups: what others say of themselves reaches the machine, and from where;
// link-local addresses are on the link over which they came. What else comes does not,
// nor does it end the listening.
func TestHeardInGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecording(t)
		said := protocol.Transport{Protocol: protocol.SCTP, Port: 5, Addrs: []netip.Addr{netip.MustParseAddr("fe80::9"), netip.MustParseAddr("2001:db8::9")}}
		meant := said
		meant.Addrs = []netip.Addr{netip.MustParseAddr("fe80::9%1"), said.Addrs[1]}
		announce, err := asap.Append(nil, asap.ServerAnnounce{Server: 6, Transports: []protocol.Transport{said}})
		if err != nil {
			t.Fatal(err)
		}
		p := enrp.Presence{Route: enrp.Route{Sender: 6}, HasServer: true, Server: protocol.Server{ID: 6, Transport: said}}
		presence, err := enrp.Append(nil, p)
		if err != nil {
			t.Fatal(err)
		}
		p.Server.Transport = meant
		groups := []*datagrams{{}, {}}
		r.announcer, r.discovery = groups[0].member(), groups[1].member()
		r.listen()
		for _, g := range groups {
			for _, b := range [][]byte{{}, {1}, announce[:len(announce)-1], presence[:len(presence)-1]} {
				g.arriving <- b
			}
		}
		groups[0].arriving <- presence
		groups[1].arriving <- announce
		r.told()
		groups[0].arriving <- announce
		r.told(registrar.AnnounceReceived{
			From: netip.MustParseAddrPort("[fe80::9%1]:7"), Message: asap.ServerAnnounce{Server: 6, Transports: []protocol.Transport{meant}},
		})
		groups[1].arriving <- presence
		r.told(registrar.PresenceHeard{Message: p})
		r.mu.Lock()
		r.closed = true
		r.mu.Unlock()
		groups[0].arriving <- announce
		groups[1].arriving <- presence
		r.told()
		r.announcer.leave()
		r.discovery.leave()
		(*member)(nil).leave()
	})
}

// TestAnnouncing: a group that cannot be spoken to is logged once, and again when it
// could be in between.
func TestAnnouncing(t *testing.T) {
	r := newRecording(t)
	to := &datagrams{}
	m := &member{sender: &groupSender{to, &net.UDPAddr{IP: net.IPv4(239, 1, 2, 3), Port: 5}}}
	r.announcer, r.discovery = m, m
	own := []protocol.Transport{{Protocol: protocol.SCTP, Port: 5, Addrs: []netip.Addr{netip.MustParseAddr("192.0.2.1")}}}
	a, p := asap.ServerAnnounce{Server: 6, Transports: own}, enrp.Presence{Route: enrp.Route{Sender: 6}, HasServer: true, Server: protocol.Server{ID: 6, Transport: own[0]}}
	ab, err := asap.Append(nil, a)
	if err != nil {
		t.Fatal(err)
	}
	pb, err := enrp.Append(nil, p)
	if err != nil {
		t.Fatal(err)
	}
	r.perform(registrar.SendAnnounce{Message: a})
	r.perform(registrar.SendPresence{Message: p})
	if !slices.Equal(to.sent, []string{string(ab), string(pb)}) {
		t.Errorf("sent %x", to.sent)
	}
	for warnings := range 3 {
		if n := strings.Count(r.lines.String(), "cannot announce"); n != warnings {
			t.Errorf("%d warnings, want %d: %s", n, warnings, r.lines.String())
		}
		to.err = errors.New("no way")
		for range 3 {
			r.perform(registrar.SendAnnounce{Message: a})
		}
		to.err = nil
		r.perform(registrar.SendAnnounce{Message: a})
	}
	if !strings.Contains(r.lines.String(), "group=239.1.2.3:5") {
		t.Error(r.lines.String())
	}
}
