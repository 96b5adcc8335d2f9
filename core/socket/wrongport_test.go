package socket

import (
	"bytes"
	"errors"
	"log/slog"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/transport"
)

// logged is what was logged.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// A pool user or pool element whose registrar is given with the ENRP port, or is a
// pool element, is told so; before, it waited for an answer for half a minute.
func TestWrongRegistrar(t *testing.T) {
	s := newSite(t)
	r, err := StartRegistrar(s.ctx, RegistrarConfig{
		ASAP: []netip.AddrPort{anyPort}, ENRP: []netip.AddrPort{anyPort}, Config: Config{Transport: transport.KindUserland, Logger: s.config.Logger},
	})
	s.ok(err)
	defer r.Close()
	l := s.echo("echo", s.options())
	for _, test := range []struct{ at, want string }{
		{r.ENRPAddrs()[0].String(), "this is the ENRP port"},
		{l.Addrs()[0].String(), "no registrar"},
	} {
		opts := s.options()
		opts.Registrars = []string{test.at}
		began := time.Now()
		_, err := Resolve(s.ctx, "echo", opts)
		if !errors.Is(err, ErrNoRegistrar) || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), test.at) {
			t.Errorf("resolution: %v", err)
		}
		_, err = Listen(s.ctx, "other", opts)
		if !errors.Is(err, ErrNoRegistrar) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("registration: %v", err)
		}
		if took := time.Since(began); took > 9*time.Second { // T5 is 10 s, T1 15 s
			t.Errorf("after %v", took)
		}
	}
}

// A registrar whose peers are an ASAP port, a pool element and itself serves all
// the same, and says for each what is wrong with it.
func TestWrongPeers(t *testing.T) {
	s := newSite(t)
	l := s.echo("echo", s.options())
	var log logged
	own, err := StartRegistrar(s.ctx, RegistrarConfig{ASAP: []netip.AddrPort{anyPort}, ENRP: []netip.AddrPort{anyPort}, Config: s.config})
	s.ok(err)
	at := own.ENRPAddrs()[0]
	own.Close()
	asap, pe := s.registrar.ASAPAddrs()[0].String(), l.Addrs()[0].String()
	r, err := StartRegistrar(s.ctx, RegistrarConfig{
		ASAP: []netip.AddrPort{anyPort}, ENRP: []netip.AddrPort{at}, Peers: []string{asap, pe, at.String()},
		Config: Config{Transport: transport.KindUserland, Logger: slog.New(slog.NewTextHandler(&log, nil))},
	})
	s.ok(err)
	defer r.Close()
	wants := []*regexp.Regexp{
		regexp.MustCompile(`a configured peer is this registrar itself.*peer=.` + at.String()),
		regexp.MustCompile(`cannot be reached.*peer=.` + asap + `.*wrong port: this is the ASAP port`),
		regexp.MustCompile(`cannot be reached.*peer=.` + pe + `.*wrong port: this is a pool element`),
	}
	for _, want := range wants {
		for !want.MatchString(log.String()) {
			select {
			case <-s.ctx.Done():
				t.Fatalf("no %s in:\n%s", want, log.String())
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	opts := s.options()
	opts.Registrars = strs(r.ASAPAddrs())
	if _, err := Resolve(s.ctx, "echo", opts); !errors.Is(err, ErrUnknownPool) {
		t.Errorf("it does not serve: %v", err)
	}
	c, err := Dial(s.ctx, "echo", s.options())
	s.ok(err)
	defer c.Close()
	s.exchange(c, "the element serves too")
}
