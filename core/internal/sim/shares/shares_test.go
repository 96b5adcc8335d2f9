package main

import (
	"os"
	"strings"
	"testing"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// TestShares: at the registrar and from a user's cache every element gets what
// RFC 5356 leads one to expect: but for two turns where the policy counts, and within
// five standard deviations where it draws.
func TestShares(t *testing.T) {
	for _, n := range sizes {
		for _, kind := range policies {
			for _, cached := range []bool{false, true} {
				r := openAll(kind, n, n*each, cached)
				bound := 2.0
				if kind == protocol.Random || kind == protocol.WeightedRandom || kind == protocol.RandomizedLeastUsed {
					bound = 5 * r.sigma
				}
				if r.off > bound {
					t.Errorf("%v, %d elements, from the cache %v: shares %s, expected %s; one element is off by %.1f sessions, more than %.1f",
						kind, n, cached, triple(r.shares), triple(r.want), r.off, bound)
				}
			}
		}
	}
}

// TestPage: what the page says of the pools is what the policies do. The large
// pools with sessions that are held take too long to be looked at again.
func TestPage(t *testing.T) {
	text, err := os.ReadFile("../../../../docs/reports/policies.md")
	if err != nil {
		t.Fatal(err)
	}
	const renew = "go run ./core/internal/sim/shares -o docs/reports/policies.md"
	for _, kind := range policies {
		for _, row := range []string{stillRow(kind, 3), stillRow(kind, 100), heldRow(kind, 3)} {
			if !strings.Contains(string(text), row) {
				t.Errorf("docs/reports/policies.md does not say\n%sRenew it: %s", row, renew)
			}
		}
	}
	for _, words := range []string{head, textHeld, textEnd} {
		if !strings.Contains(string(text), words) {
			t.Errorf("docs/reports/policies.md has other words. Renew it: %s", renew)
		}
	}
}
