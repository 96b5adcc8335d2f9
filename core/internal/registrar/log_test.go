package registrar

import (
	"errors"
	"net/netip"
	"slices"
	"testing"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// complaints returns the warnings that came since there were so many lines.
func (s *script) complaints(since int) (out []Log) {
	for _, l := range s.logs[since:] {
		if l.Level >= Warn {
			out = append(out, l)
		}
	}
	return out
}

// TestLeaveIsNoDeath: a registrar that shut down and owns nothing has left, which
// is worth no warning. One that is lost, or leaves PEs behind, is dead: the operator
// is told where it was and how many there are to take over.
func TestLeaveIsNoDeath(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		pes  int
		want []string
	}{
		{"left", nil, 0, nil},
		{"killed", errors.New("no answer"), 0, []string{"registrar does not answer"}},
		{"left PEs behind", nil, 2, []string{"registrar does not answer", "taking over the PEs of a dead registrar"}},
		{"killed with PEs", errRefused, 2, []string{"registrar does not answer", "taking over the PEs of a dead registrar"}},
	} {
		s := enrpScript(t)
		v := s.meets(1, 20, "192.0.2.20:9901")
		for id := range c.pes {
			v.updates(enrp.AddPE, "p", owned(protocol.PEID(id+1), 20))
		}
		before := len(s.logs)
		s.step(AssocLost{Link: v.link, Err: c.err})
		call := s.take()[0].(SendENRPTo)
		s.step(ConnectFailed{Token: call.Token, Err: errRefused})
		s.take()
		got := s.complaints(before)
		if len(got) != len(c.want) {
			t.Errorf("%s: it says %+v, want %q", c.name, got, c.want)
			continue
		}
		for i, l := range got {
			if l.Msg != c.want[i] || l.Server != 20 || !slices.Equal(l.At, []netip.AddrPort{v.at}) || i == 1 && l.PEs != c.pes {
				t.Errorf("%s: it says %+v, want %q", c.name, l, c.want[i])
			}
		}
		if s.r.peers.byID[20] != nil {
			t.Errorf("%s: it is still a peer", c.name)
		}
	}
}

// TestKilledPEIsWarnedOf: a PE that is removed has not left by itself, and the
// operator hears where it was.
func TestKilledPEIsWarnedOf(t *testing.T) {
	s := started(t)
	pe := s.connect(1, "192.0.2.1:5000")
	pe.registers("pool", 7)
	joined := s.logs[len(s.logs)-1]
	before := len(s.logs)
	pe.lost()
	for _, e := range s.take() {
		if to, ok := e.(SendASAPTo); ok {
			s.step(ConnectFailed{Token: to.Token, Err: errRefused})
		}
	}
	s.sleep(long)
	s.take()
	got := s.complaints(before)
	if len(got) != 1 || got[0].PE != 7 || len(got[0].At) == 0 || !slices.Equal(got[0].At, joined.At) {
		t.Errorf("it says %+v; the PE joined at %v", got, joined.At)
	}
}
