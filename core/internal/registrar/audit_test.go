package registrar

import (
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

func (v *rival) table(more bool, h protocol.PoolHandle, elements ...protocol.Element) {
	m := enrp.HandleTableResponse{Route: v.route(), More: more}
	if len(elements) > 0 {
		m.Entries = []enrp.PoolEntry{{Handle: h, Elements: elements}}
	}
	v.says(m)
}

// audited is a registrar that thinks 20 owns PEs 1, 2, 3 and was just told
// otherwise.
func audited(t *testing.T) (*script, *rival) {
	s := enrpScript(t)
	v := s.meets(1, 20, "192.0.2.20:9901")
	for id := range protocol.PEID(3) {
		v.updates(enrp.AddPE, "p", owned(id+1, 20))
	}
	v.says(v.presence(sumOf("p", 1, 2, 3))) // ENRP-3.6-04
	s.want()
	v.says(v.presence(0x1234)) // ENRP-3.6-03, 05, 09
	s.want(v.request())
	return s, v
}

func (v *rival) request() Effect {
	return v.hears(enrp.HandleTableRequest{Route: from(v.id), OwnChildrenOnly: true})
}

// ENRP-3.6-01, 08, 11, 12: after the last part what was not confirmed goes, in
// silence; not before. ENRP-3.6-15: entries of other homes do not count.
func TestResynchronization(t *testing.T) {
	s, v := audited(t)
	changed := owned(1, 20)
	changed.User.Port = 99
	v.table(true, "p", changed, owned(9, 30))
	s.want(v.request())
	s.wantHomes("p", homes{1: 20, 2: 20, 3: 20})
	if got := s.r.space.Element("p", 1).User.Port; got != 99 {
		t.Errorf("port %d, want the new one", got)
	}
	v.table(false, "p", owned(4, 20))
	s.want()
	s.wantHomes("p", homes{1: 20, 4: 20})
}

// E-27: an owner that owns nothing answers with nothing, and all of it goes.
func TestResynchronizationWithNothing(t *testing.T) {
	s, v := audited(t)
	v.table(false, "")
	s.wantHomes("p", homes{})
}

// ENRP-3.6-13: refused, unanswered, or the peer dies (ENRP-3.5-25): nothing
// goes, and it is tried again later.
func TestResynchronizationFails(t *testing.T) {
	for name, fail := range map[string]func(*script, *rival){
		"refused":    func(_ *script, v *rival) { v.says(enrp.HandleTableResponse{Route: v.route(), Rejected: true}) },
		"unanswered": func(s *script, _ *rival) { s.sleep(5 * time.Second) },
		"half": func(s *script, v *rival) {
			v.table(true, "p", owned(1, 20))
			s.take()
			s.sleep(5 * time.Second)
		},
	} {
		s, v := audited(t)
		fail(s, v)
		v.table(false, "") // too late
		s.want()
		s.wantHomes("p", homes{1: 20, 2: 20, 3: 20})
		s.sleep(time.Minute)
		v.says(v.presence(0x1234))
		if out := s.take(); len(out) != 1 {
			t.Errorf("%s: not tried again: %v", name, out)
		}
	}
}

// ENRP-3.6-14: one at a time; updates during it count; a PE that moved away is
// not swept.
func TestResynchronizationRaces(t *testing.T) {
	s, v := audited(t)
	other := s.meets(2, 30, "192.0.2.30:9901")
	v.says(v.presence(0x1234))
	s.want()
	other.updates(enrp.AddPE, "p", owned(1, 30))
	v.updates(enrp.AddPE, "p", owned(5, 20))
	v.updates(enrp.DelPE, "p", owned(2, 20))
	v.table(false, "p", owned(1, 20), owned(2, 20))
	s.wantHomes("p", homes{1: 30, 5: 20})
}

// ENRP-3.6-16: a checksum that stays wrong is not asked about over and over.
func TestResynchronizationBacksOff(t *testing.T) {
	s, v := audited(t)
	asked := 0
	for range 600 {
		v.table(false, "p", owned(1, 20))
		s.sleep(time.Second)
		v.says(v.presence(0x1234))
		asked += len(s.take())
	}
	if asked < 5 || asked > 12 {
		t.Errorf("asked %d times in 10 minutes", asked)
	}
	v.says(v.presence(sumOf("p", 1)))
	s.want()
	v.says(v.presence(0x1234)) // in order meanwhile: at once
	s.want(v.request())
}

// ENRP-3.6-12: when a resynchronization removes something, the others are asked
// whether it is theirs by now.
func TestSweepAsksOthers(t *testing.T) {
	s, v := audited(t)
	other := s.meets(2, 30, "192.0.2.30:9901")
	v.table(false, "p", owned(1, 20), owned(2, 20))
	s.want(other.hears(mine(30, true)))
	s.wantHomes("p", homes{1: 20, 2: 20})
}
