package protocol

import (
	"encoding/json"
	"testing"
)

// Identifiers are written in one way, whoever writes them, and read again.
func TestIdentifiersAsText(t *testing.T) {
	type both struct {
		PE     PEID
		Server ServerID
	}
	in := both{42, 0xfffffffe}
	b, err := json.Marshal(in)
	if err != nil || string(b) != `{"PE":"0x0000002a","Server":"0xfffffffe"}` {
		t.Errorf("%s, %v", b, err)
	}
	var out both
	if err := json.Unmarshal(b, &out); err != nil || out != in {
		t.Errorf("%+v, %v", out, err)
	}
	for _, bad := range []string{"", "x", "0x100000000", "-1"} {
		if new(PEID).UnmarshalText([]byte(bad)) == nil || new(ServerID).UnmarshalText([]byte(bad)) == nil {
			t.Errorf("%q is taken for an identifier", bad)
		}
	}
}
