package kernel

import (
	"errors"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// answer lays out what the kernel's diagnostics answer.
func answer(kind uint16, body []byte) []byte {
	b := make([]byte, unix.SizeofNlMsghdr, unix.SizeofNlMsghdr+len(body))
	native.PutUint32(b, uint32(unix.SizeofNlMsghdr+len(body)))
	native.PutUint16(b[4:], kind)
	return append(b, body...)
}

func attribute(kind uint16, data []byte) []byte {
	b := make([]byte, 4, 4+len(data))
	native.PutUint16(b, uint16(4+len(data)))
	native.PutUint16(b[2:], kind)
	return append(b, data...)
}

func TestParseDetails(t *testing.T) {
	info := make([]byte, infoSize)
	native.PutUint32(info[infoOutqueue:], 12)
	native.PutUint32(info[infoFlight:], 3456)
	native.PutUint16(info[infoErrors:], 2)
	message := make([]byte, diagMessageSize)
	native.PutUint32(message[diagWriteQueue:], 99)
	good := answer(sockDiagByFamily, append(append(message, attribute(9, []byte{1, 2, 3, 4})...), attribute(diagInfo, info)...))
	want := details{queued: 99, unsent: 12, flight: 3456, errors: 2}
	if got, err := parseDetails(good); err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	for n := range good {
		cut := append([]byte(nil), good[:n]...)
		if n >= 4 {
			native.PutUint32(cut, uint32(n))
		}
		if got, err := parseDetails(cut); !errors.Is(err, unix.EBADMSG) {
			t.Fatalf("%d bytes of it: %+v, %v", n, got, err)
		}
	}
	errno := make([]byte, 4)
	native.PutUint32(errno, ^uint32(unix.ENOENT)+1)
	if _, err := parseDetails(answer(unix.NLMSG_ERROR, errno)); !errors.Is(err, unix.ENOENT) {
		t.Errorf("error message: %v", err)
	}
}

// With the kernel's diagnostics, the status of an association whose peer does
// not read tells what waits.
func TestStatusDetails(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "::1"} {
		c, s := listen(t, assoc.Params{}, host), listen(t, assoc.Params{ReceiveBuffer: 64 << 10}, host)
		other := listen(t, assoc.Params{}, host)
		cid, sid := join(t, c, s, assoc.Params{})
		id, _ := join(t, c, other, assoc.Params{})
		const count = 200
		for range count {
			send(t, c, make([]byte, 1000), assoc.SendInfo{Assoc: cid})
		}
		status, err := c.Status(cid)
		idle, err2 := c.Status(id)
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		if noDiag.Load() {
			t.Skip("not run: this kernel has no sctp_diag")
		}
		p := status.Paths[status.Primary]
		if status.QueuedBytes < count*1000/2 || status.Unsent < count/4 || p.RTO == 0 || p.Cwnd == 0 || p.MTU == 0 || !p.Active {
			t.Errorf("%s: %d messages queued, the window is full, and the status is %+v", host, count, status)
		}
		if idle.QueuedBytes != 0 || idle.Unsent != 0 || idle.Unacked != 0 {
			t.Errorf("%s: idle association beside it: %+v", host, idle)
		}
		if err := s.Hold(sid, true); err != nil {
			t.Fatal(err)
		}
		if status, err := s.Status(sid); err != nil || status.State != "ESTABLISHED" || len(status.Paths) != 1 || noDiag.Load() {
			t.Errorf("%s: status of a peeled-off association: %+v, %v", host, status, err)
		}
	}
	if _, err := diagnose(netip.MustParseAddrPort("127.0.0.1:1"), netip.MustParseAddrPort("127.0.0.1:2")); !errors.Is(err, unix.ENOENT) {
		t.Errorf("diagnostics of nothing: %v, want ENOENT", err)
	}
}
