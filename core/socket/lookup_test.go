package socket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/transport"
	"github.com/librserpool/librserpool/core/internal/transport/open"
)

// dns is a name service that a test controls.
type dns struct {
	mu    sync.Mutex
	addrs map[string][]string
	asked int
}

func (d *dns) set(name string, addrs ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.addrs[name] = addrs
}

func (d *dns) lookUp(_ context.Context, network, name string) (out []netip.Addr, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked++
	for _, a := range d.addrs[name] {
		out = append(out, netip.MustParseAddr(a))
	}
	if len(out) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	return out, nil
}

// count is how many names were looked up.
func (d *dns) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.asked
}

func newDNS() *dns { return &dns{addrs: map[string][]string{}} }

// until waits until something is so.
func (w *world) until(what string, limit time.Duration, f func() bool) {
	w.Helper()
	for began := time.Now(); !f(); time.Sleep(100 * time.Millisecond) {
		if time.Since(began) > limit {
			w.Fatalf("not within %v: %s", limit, what)
		}
	}
}

// A name that has no address yet is looked up until it has one; the error says
// what is wrong with it meanwhile.
func TestNameComesLate(t *testing.T) {
	run(t, func(w *world) {
		names := newDNS()
		server, p := w.process(), w.process()
		server.registrar()
		cfg := p.config()
		cfg.host.lookUp, cfg.Registrars, cfg.NoEmbedded = names.lookUp, []string{"registrar.example"}, true
		opts := &Options{Config: cfg, Network: "ip4"}
		_, err := Resolve(w.ctx, "echo", opts)
		var dnsErr *net.DNSError
		if !errors.Is(err, ErrNoRegistrar) || !errors.As(err, &dnsErr) || !strings.Contains(err.Error(), "registrar.example:3863") {
			t.Errorf("got %v", err)
		}
		time.AfterFunc(20*time.Second, func() { names.set("registrar.example", "127.0.0.1") })
		w.until("the name is looked up again", 30*time.Second, func() bool {
			_, err := Resolve(w.ctx, "echo", opts)
			return errors.Is(err, ErrUnknownPool)
		})
	})
}

// A registrar that is away is found where its name is now, by those that knew it
// and without their doing anything.
func TestRegistrarMovesWithItsName(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	names := newDNS()
	h := newHost(open.Endpoint)
	h.lookUp = names.lookUp
	start := func(at string) *Registrar {
		r, err := StartRegistrar(ctx, RegistrarConfig{
			ASAP: []netip.AddrPort{netip.MustParseAddrPort(at)}, NoTCP: true, Config: Config{Transport: transport.KindUserland},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.Close() })
		names.set("registrar.example", r.ASAPAddrs()[0].Addr().String())
		return r
	}
	first := start("127.0.0.2:0")
	port := first.ASAPAddrs()[0].Port()
	opts := &Options{Network: "ip4", Config: Config{
		Registrars: []string{fmt.Sprintf("registrar.example:%d", port)}, Transport: transport.KindUserland, NoEmbedded: true, host: h,
	}}
	l, err := Listen(ctx, "echo", opts)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	first.Close()
	second := start(fmt.Sprintf("127.0.0.3:%d", port))
	for len(second.Pools()) == 0 {
		select {
		case <-ctx.Done():
			t.Fatal("the element does not find the registrar")
		case <-time.After(50 * time.Millisecond):
		}
	}
	if elements, err := Resolve(ctx, "echo", opts); err != nil || elements[0].ID != l.Name().PE {
		t.Errorf("got %v, %v", elements, err)
	}
}

// Registrars that name each other start although nobody knows the names yet, and
// meet as soon as they are known. Each address of a name is a registrar, and one
// that finds itself among them passes that over.
func TestPeersByName(t *testing.T) {
	run(t, func(w *world) {
		names := newDNS()
		var all []*Registrar
		for i := range 3 {
			p := w.process()
			cfg := p.config()
			cfg.host.lookUp = names.lookUp
			r, err := StartRegistrar(w.ctx, RegistrarConfig{
				ASAP:  []netip.AddrPort{netip.AddrPortFrom(loopback.Addr(), uint16(3863+i))},
				ENRP:  []netip.AddrPort{netip.AddrPortFrom(loopback.Addr(), uint16(9901+i))},
				Peers: []string{"one.example:9901", "two.example:9902"}, Config: cfg,
			})
			w.ok(err)
			w.Cleanup(func() { r.Close() })
			all = append(all, r)
		}
		p := w.process()
		opts := p.options()
		opts.Registrars = []string{"127.0.0.1:3865"}
		w.until("the registrar serves without its peers", 10*time.Second, func() bool {
			_, err := Listen(w.ctx, "echo", opts)
			return err == nil
		})
		time.Sleep(time.Minute)
		if n := len(all[0].Pools()); n > 0 {
			t.Fatalf("%d pools at a registrar without peers", n)
		}
		asked := names.count()
		time.Sleep(time.Minute)
		if n := names.count() - asked; n < 3*2*5 || n > 3*2*31 {
			t.Errorf("%d look-ups in a minute, by three registrars with two names", n)
		}
		names.set("one.example", "127.0.0.1")
		names.set("two.example", "127.0.0.1")
		w.until("the registrars meet", 10*time.Second, func() bool {
			return slices.IndexFunc(all, func(r *Registrar) bool { return len(r.Pools()) == 0 }) < 0
		})
		time.Sleep(10 * time.Second)
		asked = names.count()
		time.Sleep(time.Minute)
		if n := names.count() - asked; n > 0 {
			t.Errorf("%d look-ups although nobody is missing", n)
		}
	})
}

// The interface of a link-local address survives: as a number, in which form the
// transports give it back.
func TestZones(t *testing.T) {
	for given, want := range map[string]string{
		"[fe80::1%lo]:4000": "[fe80::1%lo]:4000", "fe80::1%lo": "[fe80::1%lo]:3863", "[fe80::1%lo]": "[fe80::1%lo]:3863",
		"tcp:[fe80::1%lo]:1": "tcp:[fe80::1%lo]:1",
	} {
		c, err := Config{Registrars: []string{given}}.resolve()
		if err != nil || c.Registrars[0] != want {
			t.Errorf("%s: %v, %v", given, c.Registrars, err)
		}
	}
	h := newHost(open.Endpoint)
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Skipf("no interface lo: %v", err)
	}
	want := netip.MustParseAddrPort(fmt.Sprintf("[fe80::1%%%d]:4000", lo.Index))
	for _, text := range []string{"[fe80::1%lo]:4000", want.String()} {
		a := h.lookUp.LookUp(t.Context(), "ip", []string{text})[0]
		if a.Err != nil || len(a.Addrs) != 1 || a.Addrs[0] != want {
			t.Errorf("%s: %+v", text, a)
		}
	}
	if a := h.lookUp.LookUp(t.Context(), "ip", []string{"[fe80::1%nosuch0]:4000"})[0]; a.Err == nil || !strings.Contains(a.Err.Error(), "nosuch0") {
		t.Errorf("got %+v", a)
	}
}

// Without a registrar of the socket's family the error says which that is, at once,
// whether it was an address or a name (AF_INET is the C library's word).
func TestRegistrarOfAnotherFamily(t *testing.T) {
	run(t, func(w *world) {
		names := newDNS()
		names.set("six.example", "2001:db8::1")
		cfg := w.process().config()
		cfg.host.lookUp, cfg.NoEmbedded = names.lookUp, true
		for _, r := range []string{"[2001:db8::1]:3863", "six.example"} {
			cfg.Registrars = []string{r}
			began := time.Now()
			_, err := Resolve(w.ctx, "echo", &Options{Config: cfg, Network: "ip4"})
			if !errors.Is(err, ErrNoRegistrar) || !strings.Contains(err.Error(), "the socket is for IPv4 (AF_INET)") {
				t.Errorf("%s: %v", r, err)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("%s: after %v", r, took)
			}
		}
	})
}

// TestCloseEndsLookUps: nobody wants the answer of a name service that takes its time.
func TestCloseEndsLookUps(t *testing.T) {
	run(t, func(w *world) {
		begun, ended := make(chan struct{}), make(chan error, 10)
		begin := sync.OnceFunc(func() { close(begun) })
		opts := w.process().options()
		opts.host.lookUp = func(ctx context.Context, _, _ string) ([]netip.Addr, error) {
			begin()
			<-ctx.Done()
			ended <- ctx.Err()
			return nil, ctx.Err()
		}
		opts.Registrars = []string{"slow.example"}
		r, err := NewResolver(opts)
		w.ok(err)
		failed := make(chan error, 1)
		go func() {
			_, err := r.Resolve(w.ctx, "pool", Query{})
			failed <- err
		}()
		<-begun
		began := time.Now()
		w.ok(r.Close())
		if err := <-ended; !errors.Is(err, context.Canceled) || time.Since(began) > 0 {
			w.Errorf("the look-up ends after %v with %v", time.Since(began), err)
		}
		if err := <-failed; !errors.Is(err, ErrClosed) {
			w.Error(err)
		}
	})
}
