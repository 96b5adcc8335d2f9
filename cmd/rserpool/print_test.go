package main

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/librserpool/librserpool/core/rserpool"
)

// TestElementsAsPrinted: a line has what the policy uses, and loads in percent of the
// highest there is; JSON has the same.
func TestElementsAsPrinted(t *testing.T) {
	at := []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:7"), netip.MustParseAddrPort("[2001:db8::1]:7")}
	element := func(id rserpool.PEID, life int32, p rserpool.Policy) rserpool.Element {
		return rserpool.Element{ID: id, Home: 9, Life: life, Transport: rserpool.SCTP, Addrs: at, Policy: p}
	}
	const quarter, half = 0x40000000, 0x80000000
	elements := []rserpool.Element{
		element(1, 60, rserpool.Policy{Type: rserpool.LeastUsed, Load: half, Weight: 5}),
		element(2, 60, rserpool.Policy{Type: rserpool.RandomizedLeastUsed, Load: 0xffffffff}),
		element(3, 60, rserpool.Policy{Type: rserpool.LeastUsedWithDegradation, Load: quarter, Degradation: half}),
		element(4, 60, rserpool.Policy{Type: rserpool.PriorityLeastUsed, Load: half, Degradation: quarter / 8}),
		element(5, 60, rserpool.Policy{Type: rserpool.WeightedRoundRobin, Weight: 3}),
		element(6, 60, rserpool.Policy{Type: rserpool.WeightedRandom, Weight: 4}),
		element(7, 0, rserpool.Policy{Type: rserpool.Priority, Priority: 8}),
		element(8, -1, rserpool.Policy{Type: rserpool.RoundRobin, Load: half, Weight: 5}),
	}
	var out bytes.Buffer
	if err := printElements(&out, elements, false); err != nil {
		t.Fatal(err)
	}
	want := `ELEMENT     AT                                POLICY                            REGISTRAR   LIFE
0x00000001  SCTP 192.0.2.1:7 [2001:db8::1]:7  LU load 50.0%                     0x00000009  60 s
0x00000002  SCTP 192.0.2.1:7 [2001:db8::1]:7  RLU load 100.0%                   0x00000009  60 s
0x00000003  SCTP 192.0.2.1:7 [2001:db8::1]:7  LUD load 25.0% degradation 50.0%  0x00000009  60 s
0x00000004  SCTP 192.0.2.1:7 [2001:db8::1]:7  PLU load 50.0% degradation 3.1%   0x00000009  60 s
0x00000005  SCTP 192.0.2.1:7 [2001:db8::1]:7  WRR weight 3                      0x00000009  60 s
0x00000006  SCTP 192.0.2.1:7 [2001:db8::1]:7  WRAND weight 4                    0x00000009  60 s
0x00000007  SCTP 192.0.2.1:7 [2001:db8::1]:7  PRIO priority 8                   0x00000009  0 s
0x00000008  SCTP 192.0.2.1:7 [2001:db8::1]:7  RR                                0x00000009  for ever
`
	if got := out.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	out.Reset()
	if err := printElements(&out, elements[2:3], true); err != nil {
		t.Fatal(err)
	}
	want = `[
  {
    "id": "0x00000003",
    "registrar": "0x00000009",
    "policy": "LUD load 25.0% degradation 50.0%",
    "life": 60,
    "transport": "SCTP",
    "addrs": [
      "192.0.2.1:7",
      "[2001:db8::1]:7"
    ]
  }
]
`
	if got := out.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
