package kernel

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/transport"
)

// Layouts are linux/sctp.h's: struct sctp_assocparams, sctp_paddrparams and
// sctp_udpencaps.
func TestLayouts(t *testing.T) {
	p := assoc.Params{AssocMaxRetrans: 7, CookieLife: 2 * time.Second, HeartbeatInterval: 300 * time.Millisecond, PathMaxRetrans: 4, MTU: 1400}
	b := assocInfo(9, p)
	if len(b) != 20 || native.Uint32(b) != 9 || native.Uint16(b[4:]) != 7 || native.Uint32(b[16:]) != 2000 {
		t.Errorf("sctp_assocparams % x", b)
	}
	b = pathParams(9, p)
	if len(b) != 156 || native.Uint32(b[132:]) != 300 || native.Uint16(b[136:]) != 4 || native.Uint32(b[138:]) != 1400 ||
		native.Uint32(b[146:]) != heartbeatEnable|mtuFixed {
		t.Errorf("sctp_paddrparams % x", b)
	}
	b = pathParams(9, assoc.Params{HeartbeatInterval: -1})
	if native.Uint32(b[146:]) != heartbeatDisable {
		t.Errorf("no heartbeats: flags %#x", native.Uint32(b[146:]))
	}
	for set, want := range map[int]byte{46: 46 << 2, -1: 0} {
		b = pathParams(9, assoc.Params{DSCP: set})
		if native.Uint32(b[146:]) != dscpSet || b[154] != want {
			t.Errorf("DSCP %d: flags %#x, spp_dscp %#x", set, native.Uint32(b[146:]), b[154])
		}
	}
	b = encapsulation(9, 0x1234)
	if len(b) != 144 || b[136] != 0x12 || b[137] != 0x34 {
		t.Errorf("sctp_udpencaps % x", b)
	}
	if got := initMsg(assoc.Params{OutStreams: 1, InStreams: 2, MaxInitRetransmits: 3, RTOMax: time.Second}); native.Uint16(got) != 1 || native.Uint16(got[2:]) != 2 || native.Uint16(got[4:]) != 3 || native.Uint16(got[6:]) != 1000 {
		t.Errorf("sctp_initmsg % x", got)
	}
}

func TestMilliseconds(t *testing.T) {
	for d, want := range map[time.Duration]uint32{-1: 0, 0: 0, 1: 1, time.Microsecond: 1, time.Millisecond: 1, 2500 * time.Microsecond: 2, time.Second: 1000} {
		if got := milliseconds(d); got != want {
			t.Errorf("milliseconds(%v) = %d, want %d", d, got, want)
		}
	}
}

// Every field takes part in overlay.
func TestOverlay(t *testing.T) {
	full := assoc.Params{
		RTOInitial: 1, RTOMin: 2, RTOMax: 3, HeartbeatInterval: 4, PathMaxRetrans: 5, AssocMaxRetrans: 6, MaxInitRetransmits: 7,
		ConnectTimeout: 8, SackDelay: 9, SackPackets: 10, CookieLife: 11, MaxBurst: 12, ShutdownGuard: 13, SendBuffer: 14,
		ReceiveBuffer: 15, MaxMessage: 16, OutStreams: 17, InStreams: 18, EncapPort: 19, MTU: 20, DSCP: 21, Exclusive: true, Primary: netip.IPv6Loopback(),
	}
	for v, i := reflect.ValueOf(full), 0; i < v.NumField(); i++ {
		if v.Field(i).IsZero() {
			t.Errorf("field %s is not in this test", v.Type().Field(i).Name)
		}
	}
	if got := overlay(assoc.Params{}, full); got != full {
		t.Errorf("overlay on nothing is %+v, want %+v", got, full)
	}
	if got := overlay(full, assoc.Params{}); got != full {
		t.Errorf("overlay of nothing is %+v, want %+v", got, full)
	}
}

// The time in which the kernel cannot have given up follows its back-off.
func TestSetupTime(t *testing.T) {
	p := assoc.Params{RTOInitial: 100 * time.Millisecond, RTOMax: 300 * time.Millisecond, MaxInitRetransmits: 3}
	if got, want := setupTime(p), 810*time.Millisecond; got != want { // 100 + 200 + 300 + 300
		t.Errorf("set-up time %v, want %v", got, want)
	}
}

func TestContexts(t *testing.T) {
	var c contexts
	var keys []uint32
	sent := []uint64{0, 1, keyBit - 1, keyBit, 1 << 40, ^uint64(0), 1 << 40}
	for _, context := range sent {
		keys = append(keys, c.key(context))
	}
	for i, key := range keys {
		if got := c.find(key); got != sent[i] {
			t.Errorf("context %#x came back as %#x", sent[i], got)
		}
	}
	c.trim(2)
	if len(c.large) != 2 || c.find(keys[6]) != sent[6] || c.find(keys[5]) != sent[5] {
		t.Errorf("trim(2) left %v", c.large)
	}
}

func TestAddresses(t *testing.T) {
	for _, text := range []string{"127.0.0.1:9", "[2001:db8::7]:65535"} {
		var b [storageSize]byte
		a := netip.MustParseAddrPort(text)
		putAddr(b[:], a)
		if got, size := parseAddr(b[:]); got != a || size == 0 {
			t.Errorf("%v became %v (%d bytes)", a, got, size)
		}
		for n := range size(a) {
			if got, size := parseAddr(b[:n]); size != 0 {
				t.Errorf("%d bytes of %v were read as %v", n, a, got)
			}
		}
	}
	if got := parseAddrs([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 5); len(got) != 0 {
		t.Errorf("no family was read as %v", got)
	}
}

func size(a netip.AddrPort) int {
	if a.Addr().Is4() {
		return unix.SizeofSockaddrInet4
	}
	return unix.SizeofSockaddrInet6
}

func TestTranslate(t *testing.T) {
	for errno, want := range map[unix.Errno]error{
		unix.EAGAIN: assoc.ErrWouldBlock, unix.ENOTCONN: assoc.ErrNotConnected, unix.EPIPE: assoc.ErrPipe, unix.EMSGSIZE: assoc.ErrMessageSize,
		unix.EINVAL: assoc.ErrInvalid, unix.ECONNREFUSED: assoc.ErrRefused, unix.ETIMEDOUT: assoc.ErrTimeout, unix.ECONNRESET: assoc.ErrAborted,
		unix.ENETUNREACH: assoc.ErrUnreachable, unix.ENOBUFS: assoc.ErrNoResources, unix.EBADF: net.ErrClosed, unix.EACCES: unix.EACCES,
	} {
		if got := translate(fmt.Errorf("call: %w", errno)); !errors.Is(got, want) {
			t.Errorf("%v became %v, want %v", errno, got, want)
		}
	}
	if translate(nil) != nil {
		t.Error("no error became one")
	}
}

// Notifications cut short or of unknown kinds are dropped.
func TestBadNotifications(t *testing.T) {
	e := &Endpoint{assocs: map[assoc.ID]*association{5: {id: 5, up: true}}}
	for kind := uint16(0x7fff); kind < 0x8010; kind++ {
		for n := range 160 {
			b := make([]byte, n)
			if n >= 2 {
				native.PutUint16(b, kind)
			}
			e.notice(b)
		}
	}
	if e.assocs[5] == nil {
		t.Error("the association is gone")
	}
}

func TestListenErrors(t *testing.T) {
	for _, local := range [][]netip.AddrPort{
		{netip.MustParseAddrPort("127.0.0.1:1"), netip.MustParseAddrPort("127.0.0.2:2")},
		{netip.MustParseAddrPort("224.0.0.1:1")}, {{}},
	} {
		if _, err := Listen(transport.Config{Local: local}); !errors.Is(err, assoc.ErrInvalid) {
			t.Errorf("listen on %v: %v, want ErrInvalid", local, err)
		}
	}
	_, err := Listen(transport.Config{Local: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}})
	if Available() {
		if _, err := Listen(transport.Config{Local: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:0")}}); !errors.Is(err, unix.EADDRNOTAVAIL) {
			t.Errorf("foreign address: %v, want EADDRNOTAVAIL", err)
		}
	} else if !errors.Is(err, ErrNoSCTP) {
		t.Errorf("error %v, want ErrNoSCTP", err)
	}
}
