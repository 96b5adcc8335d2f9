package socket

import (
	"fmt"
	"testing"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/transport"
)

// TestElementsArePatient with their pool users, unless their options say otherwise.
func TestElementsArePatient(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		for retransmits, want := range map[int]int{0: 6, 2: 0} {
			heard := &listening{set: map[assoc.ID]assoc.Params{}}
			pool := fmt.Sprint("patient", retransmits)
			_, pe := w.pe(pool, func(c *Config) {
				open := c.host.open
				c.host.open = func(cfg transport.Config) (ep transport.Endpoint, kind string, err error) {
					heard.Endpoint, kind, err = open(cfg)
					return heard, kind, err
				}
				c.AssocRetransmits = retransmits
			}, Registration{})
			w.send(w.pu(pool, nil), 0, "x")
			if got := heard.set[pe.table.Find(w.reads(pool, pe, "x")).Assoc()]; got.PathMaxRetrans != want || got.AssocMaxRetrans != want {
				t.Errorf("%s: set to %+v, want %d retransmissions", pool, got, want)
			}
		}
	})
}
