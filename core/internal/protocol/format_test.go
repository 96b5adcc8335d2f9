package protocol

import "testing"

// POL-3.1-01: a load of 0 to 0xffffffff is 0 to 100 %, in proportion.
func TestLoadInPercent(t *testing.T) {
	for load, want := range map[uint32]string{
		0: "0.0%", 0x40000000: "25.0%", 0x80000000: "50.0%", 0xc0000000: "75.0%", 0xffffffff: "100.0%",
	} {
		if got := (Policy{Type: LeastUsed, Load: load}).String(); got != "LU load "+want {
			t.Errorf("%#x: %s, want %s", load, got, want)
		}
	}
}
