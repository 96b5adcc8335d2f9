package sctp

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var sampleCookie = cookie{
	created: 1_000_000_000_000, life: 10 * time.Second, peerPort: 7, port: 5000,
	own:    offer{tsn: 1, window: 2, outStreams: 3, inStreams: 4},
	peer:   offer{tsn: 5, window: 6, outStreams: 7, inStreams: 8, forwardTSN: true, foreign: true},
	ownTag: 9, peerTag: 10, tieOwn: 11, tiePeer: 12,
	from:  netip.MustParseAddrPort("[2001:db8::1]:9899"),
	addrs: []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::2")},
}

func cookieEndpoint(seed byte) *Endpoint { return New(Config{Port: 5000, Rand: newSeeded(seed)}) }

func TestCookieRoundTrip(t *testing.T) { // SCTP-2-28
	e, now := cookieEndpoint(1), time.Unix(1000, 0)
	b := e.sealCookie(nil, now, &sampleCookie)
	got, ok := e.openCookie(b)
	if !ok {
		t.Fatal("refused")
	}
	if d := cmp.Diff(sampleCookie, got, cmp.AllowUnexported(cookie{}, offer{}), cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }),
		cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); d != "" {
		t.Error(d)
	}
	plain := sampleCookie
	plain.addrs, plain.from = nil, netip.MustParseAddrPort("192.0.2.1:9899")
	if n := len(e.sealCookie(nil, now, &plain)); n > 100 {
		t.Errorf("cookie of %d bytes", n)
	}
}

func TestForgedCookies(t *testing.T) { // SCTP-6-01, SCTP-8-06
	e, now := cookieEndpoint(1), time.Unix(1000, 0)
	good := e.sealCookie(nil, now, &sampleCookie)
	for bit := range 8 * len(good) {
		bad := slices.Clone(good)
		bad[bit/8] ^= 1 << (bit % 8)
		if _, ok := e.openCookie(bad); ok {
			t.Errorf("bit %d may be flipped", bit)
		}
	}
	for n := range len(good) {
		if _, ok := e.openCookie(good[:n]); ok {
			t.Errorf("%d bytes are enough", n)
		}
	}
	if _, ok := cookieEndpoint(2).openCookie(good); ok {
		t.Error("another endpoint takes it")
	}
	other := cookieEndpoint(2)
	other.sealCookie(nil, now, &sampleCookie)
	if _, ok := other.openCookie(good); ok {
		t.Error("another endpoint with keys takes it")
	}
}

func TestCookieKeysRotate(t *testing.T) { // SCTP-6-01
	e, now := cookieEndpoint(1), time.Unix(1000, 0)
	first := e.sealCookie(nil, now, &sampleCookie)
	now = now.Add(keyLife)
	second := e.sealCookie(nil, now, &sampleCookie)
	if _, ok := e.openCookie(first); !ok {
		t.Error("the previous key is forgotten")
	}
	e.sealCookie(nil, now.Add(keyLife), &sampleCookie)
	if _, ok := e.openCookie(first); ok {
		t.Error("an old key lives on")
	}
	if _, ok := e.openCookie(second); !ok {
		t.Error("the previous key is forgotten")
	}
}

func TestCookieAge(t *testing.T) { // SCTP-2-24
	created := time.Unix(0, sampleCookie.created)
	for age, want := range map[time.Duration]bool{-1: true, 0: false, 10 * time.Second: false, 10*time.Second + 1: true} {
		if got := sampleCookie.expired(created.Add(age)); got != want {
			t.Errorf("age %v: expired %v", age, got)
		}
	}
}
