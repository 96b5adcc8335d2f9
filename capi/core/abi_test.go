package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/socket"
)

// A test cannot name the types of C. These make what a function takes.

func forStatus[T, V any](func(*T, V)) *T           { return new(T) }
func forNote[T, A, B any](func(*T, A, B)) *T       { return new(T) }
func forSending[T, R any](func(*T) R) *T           { return new(T) }
func forLoad[T, A, B any](func(*T) (A, B)) *T      { return new(T) }
func forInt[T ~int32, R any](_ func(T) R, v int) T { return T(v) }

// text is a string of C.
func text[T ~int8 | ~uint8](chars []T) string {
	b := unsafe.Slice((*byte)(unsafe.Pointer(&chars[0])), len(chars))
	b, _, _ = bytes.Cut(b, []byte{0})
	return string(b)
}

// TestTell: a notification reaches the front with all its numbers; an error as errno and
// in words that end within their room.
func TestTell(t *testing.T) {
	long := strings.Repeat("x", 500)
	for _, c := range []struct {
		n     socket.Notification
		errno unix.Errno
		why   string
	}{
		{socket.Notification{Type: socket.FailoverCompleted, Old: 2, New: 3, InDoubt: 4, Resent: 5}, 0, ""},
		{socket.Notification{Type: socket.FailoverBegun, Old: 2, InDoubt: 4, Err: socket.ErrNoElement}, unix.EHOSTUNREACH, socket.ErrNoElement.Error()},
		{socket.Notification{Type: socket.SessionRemoved, Err: errors.New(long)}, unix.ECONNRESET, long[:175]},
		{socket.Notification{Type: socket.SessionRemoved, Err: errors.New(long[:175])}, unix.ECONNRESET, long[:175]},
		{socket.Notification{Type: socket.SessionRemoved, Err: errors.New(long[:174])}, unix.ECONNRESET, long[:174]},
		{socket.Notification{Type: socket.CookieRejected, Err: socket.ErrNoElement}, unix.EBADMSG, socket.ErrNoElement.Error()},
	} {
		note := forNote(tell)
		tell(note, 7, &c.n)
		if uint32(note._type) != uint32(c.n.Type) || note.session != 7 || uint32(note.old_pe_id) != uint32(c.n.Old) || uint32(note.new_pe_id) != uint32(c.n.New) ||
			int(note.in_doubt) != c.n.InDoubt || int(note.resent) != c.n.Resent || unix.Errno(note.error) != c.errno || text(note.why[:]) != c.why {
			t.Errorf("%+v becomes %+v", c.n, *note)
		}
	}
}

// TestPut: sentences end within their room.
func TestPut(t *testing.T) {
	space := forStatus(put)
	long := strings.Repeat("y", 2000)
	for _, n := range []int{2000, 1024, 1023, 1022, 1, 0} {
		put(space, long[:n])
		if got, want := text(space.text[:]), long[:min(n, 1023)]; got != want {
			t.Errorf("%d letters become %d", n, len(got))
		}
	}
	if r := report(space, "f", socket.ErrWouldBlock); r != -int64(unix.EAGAIN) || text(space.text[:]) == "" {
		t.Errorf("would block: %d, %q", r, text(space.text[:]))
	}
	if r := report(space, "f", socket.ErrUnknownPool); r != -int64(unix.ENOENT) || !strings.HasPrefix(text(space.text[:]), "f: ") {
		t.Errorf("unknown pool: %d, %q", r, text(space.text[:]))
	}
	if r := call(space, "f", func() (int64, error) { return 5, nil }); r != 5 {
		t.Errorf("no error: %d", r)
	}
}

// TestRegistrationOfC: what rsp_loadinfo says becomes a registration; values that the
// policy does not use, an unknown policy and a life without end are refused.
func TestRegistrationOfC(t *testing.T) {
	for _, c := range []struct {
		policy                              socket.PolicyType
		weight, priority, load, degradation uint32
		ok                                  bool
	}{
		{0, 0, 0, 0, 0, true}, {0, 1, 0, 0, 0, false}, {socket.RoundRobin, 0, 0, 0, 0, true}, {socket.RoundRobin, 0, 0, 1, 0, false},
		{socket.WeightedRoundRobin, 5, 0, 0, 0, true}, {socket.WeightedRoundRobin, 5, 1, 0, 0, false},
		{socket.WeightedRandom, 5, 0, 0, 0, true}, {socket.WeightedRandom, 5, 0, 1, 0, false},
		{socket.Priority, 0, 6, 0, 0, true}, {socket.Priority, 1, 6, 0, 0, false},
		{socket.LeastUsed, 0, 0, 7, 0, true}, {socket.LeastUsed, 0, 0, 7, 1, false},
		{socket.RandomizedLeastUsed, 0, 0, 7, 0, true}, {socket.RandomizedLeastUsed, 0, 0, 7, 1, false},
		{socket.LeastUsedWithDegradation, 0, 0, 7, 8, true}, {socket.LeastUsedWithDegradation, 1, 0, 7, 8, false},
		{socket.PriorityLeastUsed, 0, 0, 7, 8, true}, {socket.PriorityLeastUsed, 0, 1, 7, 8, false},
		{0x7777, 0, 0, 0, 0, false},
	} {
		info := infoOf{policy: uint32(c.policy), weight: c.weight, priority: c.priority, load: c.load, degradation: c.degradation, life: 60, pe: 9}
		got, err := info.registration()
		if !c.ok {
			wantErrno(t, err, unix.EINVAL)
			continue
		}
		want := socket.Registration{PE: 9, Life: time.Minute, Policy: socket.Policy{Type: c.policy, Weight: c.weight, Priority: c.priority, Load: c.load, Degradation: c.degradation}}
		if c.policy == 0 {
			want.Policy.Type = socket.RoundRobin
		}
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%+v becomes %+v, %v", info, got, err)
		}
	}
	for life, ok := range map[uint32]bool{math.MaxInt32: true, math.MaxInt32 + 1: false} {
		r, err := (&infoOf{life: life}).registration()
		if (err == nil) != ok || ok && r.Life != math.MaxInt32*time.Second {
			t.Errorf("a life of %d: %v, %v", life, r.Life, err)
		}
	}
}

// infoOf is struct rspgo_loadinfo.
type infoOf struct{ policy, weight, priority, load, degradation, life, pe uint32 }

func (i *infoOf) registration() (socket.Registration, error) {
	info := forLoad(registration)
	*(*infoOf)(unsafe.Pointer(info)) = *i
	return registration(info)
}

// TestStatusOfC: RSP_STATUS has the numbers of the session, those that are too large for
// their room as the largest.
func TestStatusOfC(t *testing.T) {
	out := forStatus(fill)
	var st socket.SessionStats
	st.RTT, st.RTO, st.MTU, st.Uncovered, st.Retransmissions = 1500*time.Nanosecond, time.Second, 1400, 3, 1<<40
	st.ID, st.State, st.Transport, st.Peer.PE, st.Failovers = 7, socket.Established, "userland", 8, 2
	st.Addrs = []netip.AddrPort{{}, {}}
	st.Sending, st.Receiving = socket.Queue{Messages: 4, Bytes: 1 << 33}, socket.Queue{Messages: 5, Bytes: 6}
	fill(out, &st)
	got := fmt.Sprint(out.session, out.state, out.transport, out.pe_id, out.peer_addrs, out.failovers, out.rtt, out.rto, out.mtu, out.uncovered,
		out.send_messages, out.recv_messages, out.send_bytes, out.recv_bytes, out.retransmissions)
	want := fmt.Sprint(7, int(socket.Established), 1, 8, 2, 2, 1, 1000000, 1400, 3, 4, 5, 1<<33, 6, 1<<40)
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if transportNumber("kernel") == transportNumber("userland") || transportNumber("kernel") == 0 || transportNumber("memory") != 0 {
		t.Errorf("transports %d, %d, %d", transportNumber("kernel"), transportNumber("userland"), transportNumber("memory"))
	}
	for n, want := range map[int]uint32{0: 0, math.MaxUint32: math.MaxUint32, math.MaxUint32 + 1: math.MaxUint32} {
		if got := uint32(number32(n)); got != want {
			t.Errorf("%d becomes %d", n, got)
		}
	}
	d := newTestDescriptor(t)
	_, err := d.status(0, make([]byte, unsafe.Sizeof(*out)))
	wantErrno(t, err, unix.ENOTCONN)
	_, err = d.status(0, make([]byte, unsafe.Sizeof(*out)-1))
	wantErrno(t, err, unix.EINVAL)
}

// TestSendingAndReceivingOfC: how the program sends and receives.
func TestSendingAndReceivingOfC(t *testing.T) {
	c := forSending(sendInfo)
	c.session, c.ppid, c.lifetime, c.stream, c.unordered = 3, 5, 1500, 6, 1
	if got, want := sendInfo(c), (socket.SendInfo{Session: 3, PPID: 5, Lifetime: 1500 * time.Millisecond, Stream: 6, Unordered: true}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for how, want := range map[int]socket.RecvFlags{
		0: 0, 1: socket.RecvPeek, 2: socket.RecvMessages, 4: socket.RecvDiscard, 8 | 16: 0, 31: socket.RecvPeek | socket.RecvMessages | socket.RecvDiscard,
	} {
		if got := receiving(forInt(receiving, how)); got != want {
			t.Errorf("%d becomes %d, want %d", how, got, want)
		}
	}
	for _, c := range []struct {
		pieces, batch bool
		want          string
	}{{false, false, "rsp_sendmsg"}, {true, false, "rsp_sendmsgv"}, {false, true, "rsp_sendmmsg"}} {
		if got := variant("rsp_sendmsg", c.pieces, c.batch); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

// TestLimits: what may wait first for what is not there yet has that time more, and what
// may wait for ever has no end.
func TestLimits(t *testing.T) {
	for wait, want := range map[time.Duration]time.Duration{
		0: 30 * time.Second, time.Second: 31 * time.Second, -1: endless, endless: endless, endless - controlLimit: endless, endless - controlLimit + 1: endless,
		endless - controlLimit - 1: endless - 1,
	} {
		if got := beyond(wait); got != want {
			t.Errorf("after %v: %v, want %v", wait, got, want)
		}
	}
	d := newTestDescriptor(t)
	d.sock.SetWaitForPool(2 * time.Second)
	d.drainLimit.Store(1500)
	for v, want := range map[verb]time.Duration{
		verbConnect: 32 * time.Second, verbRegister: 32 * time.Second, verbDeregister: 30 * time.Second, verbClose: 30 * time.Second,
		verbDrain: 1500 * time.Millisecond,
	} {
		if got := d.slots[v].limit(); got != want {
			t.Errorf("%v: %v, want %v", v, got, want)
		}
		if got := d.slots[v].context() == context.Background(); got != (v == verbClose) {
			t.Errorf("%v: goes on after the end of the descriptor: %v", v, got)
		}
	}
}
