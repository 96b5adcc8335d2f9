package main

import (
	"encoding/binary"
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/socket"
)

// numberOf returns the number of an option by its name in rserpool.h.
func numberOf(t *testing.T, name string) int {
	t.Helper()
	for n, o := range options {
		if o.name == name {
			return n
		}
	}
	for n, o := range socketOptions {
		if o.name == name {
			return n
		}
	}
	for n, o := range bytesOptions {
		if o.name == name {
			return n
		}
	}
	t.Fatalf("there is no option %s", name)
	return 0
}

func bytesOf(v int) []byte { return binary.NativeEndian.AppendUint32(nil, uint32(int32(v))) }

// TestSessionOptions: each option is one field of a session's options and no other, in the
// unit that the header says; what makes no sense is refused, and changes nothing.
func TestSessionOptions(t *testing.T) {
	const ms = time.Millisecond
	var all socket.SessionOptions
	for _, c := range []struct {
		name  string
		field any // of all
		def   int
		set   int
		want  any
		bad   []int
	}{
		{"RSP_NOTIFICATIONS", &all.Notifications, 0, int(socket.NotifyAll), socket.NotifyAll, []int{int(socket.NotifyAll) + 1, -1}},
		{"RSP_REPLAY", &all.Replay, 0, 1, true, []int{2, -1}},
		{"RSP_NO_FAILOVER", &all.NoFailover, 0, 1, true, []int{2, -1}},
		{"RSP_FAILOVER_HOLD", &all.HoldFailover, 0, 1, true, []int{2, -1}},
		{"RSP_FAIL_BACK", &all.FailBack, 0, 1, true, []int{2, -1}},
		{"RSP_FAILOVER_LIMIT", &all.FailoverLimit, 15000, 1234, 1234 * ms, []int{-2}},
		{"RSP_SEND_LIMIT", &all.SendLimit, -1, 1234, 1234 * ms, []int{-2}},
		{"RSP_RTO_INITIAL", &all.RTOInitial, 0, 345, 345 * ms, []int{-2}},
		{"RSP_RTO_MIN", &all.RTOMin, 0, 123, 123 * ms, []int{-2}},
		{"RSP_RTO_MAX", &all.RTOMax, 0, 12345, 12345 * ms, []int{-2}},
		{"RSP_HEARTBEAT", &all.Heartbeat, 0, 1234, 1234 * ms, []int{-2}},
		{"RSP_SNDBUF", &all.SendBuffer, 4 << 20, 123456, 123456, []int{-1}},
		{"RSP_RCVBUF", &all.ReceiveBuffer, 0, 123456, 123456, []int{-1}},
		{"RSP_PATH_RETRANSMITS", &all.PathRetransmits, 0, 3, 3, []int{-1}},
		{"RSP_DSCP", &all.DSCP, 0, 46, 46, []int{64, -1}},
		{"RSP_ASSOC_RETRANSMITS", &all.AssocRetransmits, 0, 7, 7, []int{-1}},
	} {
		d, n := newTestDescriptor(t), numberOf(t, c.name)
		def, err := d.getOption(0, n)
		if err != nil || c.def != 0 && def != c.def {
			t.Errorf("%s: the default is %d, %v, want %d", c.name, def, err, c.def)
		}
		want := d.sock.Options()
		for _, bad := range c.bad {
			err := d.setOption(0, n, bytesOf(bad))
			wantErrno(t, err, unix.EINVAL)
			if !strings.HasPrefix(err.Error(), c.name+": ") {
				t.Errorf("%s = %d: %v", c.name, bad, err)
			}
		}
		if got := d.sock.Options(); got != want {
			t.Errorf("%s: what was refused changed %+v to %+v", c.name, want, got)
		}
		if err := d.setOption(0, n, bytesOf(c.set)); err != nil {
			t.Errorf("%s = %d: %v", c.name, c.set, err)
		}
		all = want
		reflect.ValueOf(c.field).Elem().Set(reflect.ValueOf(c.want))
		if got := d.sock.Options(); got != all {
			t.Errorf("%s = %d: the options are\n%+v, want\n%+v", c.name, c.set, got, all)
		}
		if got, err := d.getOption(0, n); err != nil || got != c.set {
			t.Errorf("%s is %d, %v, want %d", c.name, got, err, c.set)
		}
		for _, size := range []int{0, 3, 5, 8} {
			wantErrno(t, d.setOption(0, n, make([]byte, size)), unix.EINVAL)
		}
		wantErrno(t, d.setOption(7, n, bytesOf(c.set)), unix.ENOTCONN) // there is no session 7
		_, err = d.getOption(7, n)
		wantErrno(t, err, unix.ENOTCONN)
	}
}

// Times that are longer than the program's int are the longest that it knows, and what
// has no end is -1.
func TestMilliseconds(t *testing.T) {
	var d time.Duration
	o := milliseconds("X", func(*socket.SessionOptions) *time.Duration { return &d })
	for _, c := range []struct {
		d    time.Duration
		want int
	}{
		{0, 0}, {time.Microsecond, 0}, {1500 * time.Microsecond, 1}, {math.MaxInt32 * time.Millisecond, math.MaxInt32},
		{(math.MaxInt32 + 1) * time.Millisecond, math.MaxInt32}, {-1, -1}, {-time.Hour, -1},
	} {
		if d = c.d; o.get(nil) != c.want {
			t.Errorf("%v is %d, want %d", c.d, o.get(nil), c.want)
		}
	}
	if err := o.set(nil, -1); err != nil || d != -time.Millisecond {
		t.Errorf("-1 is %v, %v", d, err)
	}
}

// TestSocketOptions: those that sessions do not have.
func TestSocketOptions(t *testing.T) {
	d := newTestDescriptor(t)
	for _, c := range []struct {
		name     string
		def, set int
		bad      int
		also     []int
	}{
		{"RSP_DATA_ONLY", 0, 1, 2, []int{0}},
		{"RSP_LOAD_INTERVAL", int(d.sock.LoadInterval().Milliseconds()), 1234, -1, nil},
		{"RSP_CONNECT_WAIT", int(d.sock.WaitForPool().Milliseconds()), 1234, -2, []int{-1, 0}},
		{"RSP_DRAIN_LIMIT", 30000, 1234, -2, []int{-1}},
	} {
		n := numberOf(t, c.name)
		for i, v := range append([]int{c.def, c.set}, c.also...) {
			if i > 0 {
				if err := d.setOption(0, n, bytesOf(v)); err != nil {
					t.Errorf("%s = %d: %v", c.name, v, err)
				}
			}
			err := d.setOption(0, n, bytesOf(c.bad))
			wantErrno(t, err, unix.EINVAL)
			if !strings.HasPrefix(err.Error(), c.name+": ") {
				t.Errorf("%s = %d: %v", c.name, c.bad, err)
			}
			if got, err := d.getOption(0, n); err != nil || got != v {
				t.Errorf("%s is %d, %v, want %d", c.name, got, err, v)
			}
		}
		wantErrno(t, d.setOption(7, n, bytesOf(c.set)), unix.ENOPROTOOPT)
		_, err := d.getOption(7, n)
		wantErrno(t, err, unix.ENOPROTOOPT)
		wantErrno(t, d.setOption(0, n, nil), unix.EINVAL)
	}
	if d.dataOnly.Load() || d.sock.LoadInterval() != 1234*time.Millisecond || d.sock.WaitForPool() != 0 || d.drainTime() != endless {
		t.Errorf("set to %v, %v, %v, %v", d.dataOnly.Load(), d.sock.LoadInterval(), d.sock.WaitForPool(), d.drainTime())
	}
	if err := d.setOption(0, numberOf(t, "RSP_DRAIN_LIMIT"), bytesOf(0)); err != nil || d.drainTime() != 30*time.Second {
		t.Errorf("RSP_DRAIN_LIMIT 0: %v, %v", d.drainTime(), err)
	}
	wantErrno(t, d.setOption(0, numberOf(t, "RSP_ERROR"), bytesOf(0)), unix.EACCES)
	for _, none := range []int{0, 9999} {
		wantErrno(t, d.setOption(0, none, bytesOf(0)), unix.ENOPROTOOPT)
		_, err := d.getOption(0, none)
		wantErrno(t, err, unix.ENOPROTOOPT)
	}
	for name, values := range map[string][2]string{"RSP_POOL_KEY": {"0123456789abcdef", "short"}, "RSP_ADVERTISE": {"192.0.2.1,2001:db8::1", "nonsense"}} {
		n := numberOf(t, name)
		_, err := d.getOption(0, n)
		wantErrno(t, err, unix.EACCES)
		wantErrno(t, d.setOption(7, n, []byte(values[0])), unix.ENOPROTOOPT)
		wantErrno(t, d.setOption(0, n, []byte(values[1])), unix.EINVAL)
		for _, good := range []string{values[0], ""} {
			if err := d.setOption(0, n, []byte(good)); err != nil {
				t.Errorf("%s = %q: %v", name, good, err)
			}
		}
	}
}

// TestErrorOption: RSP_ERROR is what failed in the background, the first failure, once.
func TestErrorOption(t *testing.T) {
	d := newTestDescriptor(t)
	n := numberOf(t, "RSP_ERROR")
	for _, outcome := range []struct {
		of  verb
		err error
	}{{verbConnect, socket.ErrNoRegistrar}, {verbRegister, nil}} {
		op := newBlockable()
		op.end <- outcome.err
		_, started := d.start(outcome.of, nil, true, op.run)
		wantErrno(t, started, unix.EINPROGRESS)
		waitEvent(t, d.sig.app, unix.POLLOUT)
	}
	for _, want := range []int{int(unix.EHOSTUNREACH), 0} {
		if got, err := d.getOption(0, n); err != nil || got != want {
			t.Errorf("RSP_ERROR is %d, %v, want %d", got, err, want)
		}
	}
}

// TestOptionsOfManyThreads: options are set all at once, and yet two callers that set
// different ones do not undo each other.
func TestOptionsOfManyThreads(t *testing.T) {
	d := newTestDescriptor(t)
	names := []string{"RSP_SNDBUF", "RSP_RCVBUF", "RSP_FAILOVER_LIMIT", "RSP_HEARTBEAT", "RSP_SEND_LIMIT", "RSP_DSCP"}
	for round := 1; round <= 1000; round++ {
		var all sync.WaitGroup
		value := func(i int) int {
			if names[i] == "RSP_DSCP" {
				return round % 64
			}
			return 5000 + 10*round + i
		}
		for i, name := range names {
			n := numberOf(t, name)
			all.Go(func() {
				if err := d.setOption(0, n, bytesOf(value(i))); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for i, name := range names {
			if got, err := d.getOption(0, numberOf(t, name)); err != nil || got != value(i) {
				t.Fatalf("round %d: %s is %d, %v, want %d", round, name, got, err, value(i))
			}
		}
	}
}
