package registrar

import (
	"fmt"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// parts asks for the table until it is complete.
func (v *rival) parts(own bool, between func()) (parts []enrp.HandleTableResponse) {
	v.s.Helper()
	for {
		v.says(enrp.HandleTableRequest{Route: v.route(), OwnChildrenOnly: own})
		out := v.s.take()
		if len(out) != 1 {
			v.s.Fatalf("a table request made %v", out)
		}
		m := out[0].(SendENRP).Message.(enrp.HandleTableResponse)
		if _, err := enrp.Append(nil, m); err != nil {
			v.s.Fatal(err)
		}
		parts = append(parts, m)
		if !m.More {
			return parts
		}
		between()
	}
}

func ids(parts []enrp.HandleTableResponse) map[elementKey]int {
	out := map[elementKey]int{}
	for _, m := range parts {
		for _, entry := range m.Entries {
			for _, e := range entry.Elements {
				out[elementKey{entry.Handle, e.ID}]++
			}
		}
	}
	return out
}

// ENRP-3.2-10, 11, ENRP-2.3-03: a big table comes in parts, every PE once,
// though PEs come and go meanwhile. ENRP-2.2-01, ENRP-3.6-10: W asks for our own
// only.
// ENRP-2.3-04: lives are those registered.
func TestTableInParts(t *testing.T) {
	s := enrpScript(t)
	v := s.meets(1, 20, "192.0.2.20:9901")
	pe := s.connect(1, "192.0.2.1:5000")
	for id := range protocol.PEID(3000) {
		pe.sends(pe.offer(protocol.PoolHandle(fmt.Sprint("pool", id%3)), id+1))
	}
	v.updates(enrp.AddPE, "theirs", owned(1, 20))
	s.take()
	s.sleep(100 * time.Second)
	next := protocol.PEID(10_000)
	parts := v.parts(false, func() {
		next++
		v.updates(enrp.AddPE, "pool0", owned(next, 20))
	})
	got := ids(parts)
	for id := range protocol.PEID(3000) {
		if n := got[elementKey{protocol.PoolHandle(fmt.Sprint("pool", id%3)), id + 1}]; n != 1 {
			t.Fatalf("PE %v came %d times", id+1, n)
		}
	}
	if len(parts) < 3 || got[elementKey{"theirs", 1}] != 1 {
		t.Errorf("%d parts, theirs %d times", len(parts), got[elementKey{"theirs", 1}])
	}
	if e := parts[0].Entries[0].Elements[0]; e.Life != 300 || e.Home != myID || e.ASAP.Port != 5000 {
		t.Errorf("element: %+v", e)
	}
	if got := ids(v.parts(true, func() {})); len(got) != 3000 || got[elementKey{"theirs", 1}] != 0 {
		t.Errorf("own children only: %d PEs", len(got))
	}
	if s.r.peers.byID[20].session != nil {
		t.Error("the session is still open")
	}
}

// ENRP-2.3-02, E-27: nothing to tell is an empty table. ENRP-3.2-20: a session
// that is not gone on with is forgotten, and begins again.
func TestTableSession(t *testing.T) {
	s := enrpScript(t)
	v := s.meets(1, 20, "192.0.2.20:9901")
	empty := enrp.HandleTableResponse{Route: from(20)}
	v.says(enrp.HandleTableRequest{Route: v.route(), OwnChildrenOnly: true})
	s.want(v.hears(empty))
	pe := s.connect(1, "192.0.2.1:5000")
	for id := range protocol.PEID(2000) {
		pe.sends(pe.offer("pool", id+1))
	}
	s.take()
	first := func() protocol.PEID {
		v.says(enrp.HandleTableRequest{Route: v.route()})
		return s.take()[0].(SendENRP).Message.(enrp.HandleTableResponse).Entries[0].Elements[0].ID
	}
	if a, b := first(), first(); a != 1 || b == 1 {
		t.Errorf("parts begin with %v and %v", a, b)
	}
	s.sleep(30 * time.Second)
	if a := first(); a != 1 {
		t.Errorf("after 30 s it goes on with %v", a)
	}
	v.says(enrp.HandleTableRequest{Route: v.route(), OwnChildrenOnly: true}) // another W: another session
	if m := s.take()[0].(SendENRP).Message.(enrp.HandleTableResponse); m.Entries[0].Elements[0].ID != 1 {
		t.Error("W=1 goes on where W=0 was")
	}
}

// ENRP-3.2-15, ENRP-3.2-21: what is known is replaced, but not what an update
// said while the table was on its way, be it that the PE is gone.
func TestTableAndUpdatesRace(t *testing.T) {
	s := joining(t, "192.0.2.20:9901")
	s.take()
	v := s.reaches(1, Link{ENRPOverSCTP, 1}, 20, "192.0.2.20:9901")
	other := s.meets(2, 30, "192.0.2.30:9901")
	other.updates(enrp.AddPE, "p", owned(1, 30))
	v.says(enrp.ListResponse{Route: v.route()})
	other.updates(enrp.AddPE, "p", owned(2, 30))
	other.updates(enrp.AddPE, "p", owned(3, 30))
	other.updates(enrp.DelPE, "p", owned(3, 30))
	other.updates(enrp.DelPE, "p", owned(4, 30))
	other.updates(enrp.DelPE, "p", owned(5, 30))
	other.updates(enrp.AddPE, "p", owned(5, 30))
	var table []protocol.Element
	for id := range protocol.PEID(6) {
		table = append(table, owned(id+1, 20))
	}
	v.says(enrp.HandleTableResponse{Route: v.route(), Entries: []enrp.PoolEntry{{Handle: "p", Elements: table}}})
	s.wantHomes("p", homes{1: 20, 2: 30, 5: 30, 6: 20})
	if len(s.r.changes.gone) != 0 {
		t.Error("what went during the download is still remembered")
	}
}
