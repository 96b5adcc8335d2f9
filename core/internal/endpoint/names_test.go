package endpoint

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
)

var errNoHost = errors.New("no such host")

// A registrar that moves with its name: its addresses are asked for when the hunt
// begins, and the one it has left is not tried any more.
func TestNameMoves(t *testing.T) {
	s := newScript(t, Config{LookUp: true, HuntRounds: -1})
	s.step(Register{Handle: pool, Element: protocol.Element{ID: 0x1234}})
	s.want(LookUp{})
	s.step(LookedUp{Found: only(regA)})
	home := s.home()
	s.drain()
	s.wait(9 * time.Second)
	s.want() // nobody asks while there is a home
	s.step(AssocLost{home, assoc.ErrTimeout})
	s.want(HomeLost{assoc.ErrTimeout}, LookUp{})
	tried := 0
	lookUps := 0
	s.step(LookedUp{Found: only(regB)})
	s.run(s.now.Add(20*time.Second), func(f Effect) {
		switch f := f.(type) {
		case Connect:
			tried++
			if f.Addrs[0] != regB {
				t.Fatalf("tries %v", f.Addrs)
			}
			s.step(ConnectFailed{f.Token, assoc.ErrRefused})
		case LookUp:
			lookUps++
			s.step(LookedUp{Found: only(regB)})
		}
	})
	if tried < 10 || lookUps != 10 {
		t.Errorf("tried %d times, %d look-ups", tried, lookUps)
	}
}

// Names are looked up again every two seconds, as long as nobody is found; never
// twice at a time.
func TestNamesAreLookedUpAgain(t *testing.T) {
	s := newScript(t, Config{LookUp: true, HuntRounds: -1})
	s.step(Resolve{Token: 1, Handle: pool})
	s.want(LookUp{})
	s.wait(25 * time.Second) // an answer is due
	s.want()
	failed := []Tried{{Name: "registrar.example:3863", Err: errNoHost}}
	for range 3 {
		s.step(LookedUp{Failed: failed})
		s.wait(2 * time.Second)
		s.want(LookUp{})
	}
	s.step(LookedUp{Found: only(regA)})
	s.home()
	s.drain()
	s.wait(5 * time.Second)
	s.want()
}

// The round is not over before the names were looked up, and the error names
// those that have no address.
func TestNamesInError(t *testing.T) {
	s := newScript(t, Config{LookUp: true, Registrars: only(regA)})
	s.step(Resolve{Token: 1, Handle: pool})
	got := s.drain()
	if len(got) != 2 || got[0] != (Effect)(LookUp{}) {
		t.Fatalf("got %v", got)
	}
	s.step(ConnectFailed{got[1].(Connect).Token, assoc.ErrRefused})
	s.want()
	s.step(LookedUp{Failed: []Tried{{Name: "registrar.example:3863", Err: errNoHost}}})
	var none *NoRegistrarError
	if f := take[ResolveFailed](s); !errors.As(f.Err, &none) || len(none.Tried) != 2 ||
		none.Tried[0].Addrs[0] != regA || none.Tried[1].Who() != "registrar.example:3863" || none.Tried[1].Err != errNoHost {
		t.Errorf("got %v", f.Err)
	}
	s.wait(time.Hour)
	s.want() // nobody wants a home: nothing is looked up
}

// Only names, none of which has an address.
func TestNamesWithoutAddress(t *testing.T) {
	s := newScript(t, Config{LookUp: true})
	s.step(Resolve{Token: 1, Handle: pool})
	s.want(LookUp{})
	s.step(LookedUp{Failed: []Tried{{Name: "registrar.example:3863", Err: errNoHost}}})
	take[ResolveFailed](s)
	// The next user does not take the old answer.
	s.step(Resolve{Token: 2, Handle: pool})
	s.want(LookUp{})
	s.step(LookedUp{Found: [][]netip.AddrPort{{regA}, {regB}}})
	takeAll[Connect](s, 2) // each address is a registrar
}

// An address that is configured stays when a name leaves it.
func TestNameLeavesConfiguredAddress(t *testing.T) {
	s := newScript(t, Config{LookUp: true, Registrars: only(regA), HuntRounds: -1})
	s.step(LookedUp{Found: only(regA, regB)}, LookedUp{Found: nil})
	s.step(Resolve{Token: 1, Handle: pool})
	got := s.drain()
	if len(got) != 2 || got[1].(Connect).Addrs[0] != regA {
		t.Errorf("got %v", got)
	}
}
