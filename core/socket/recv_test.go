package socket

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
)

// TestPartialDelivery: what has no room in the buffer comes with the next calls
// (RFC 6458 section 4.1.8), and nothing else in between.
func TestPartialDelivery(t *testing.T) {
	run(t, func(w *world) {
		pe, pu := pair(w, "echo")
		other := w.pu("echo", nil)
		w.ok(pu.TrySend([]byte("0123456789"), &SendInfo{Stream: 2, PPID: 5}))
		synctest.Wait()
		w.ok(other.TrySend([]byte("other"), nil))
		w.ok(pu.TrySend([]byte("next"), nil))
		synctest.Wait()
		steps := []struct {
			room  int
			flags RecvFlags
			want  string
			left  int
		}{
			{0, 0, "", 10},
			{4, RecvPeek, "0123", 6},
			{4, 0, "0123", 6},
			{9, RecvPeek | RecvDiscard, "456789", 0},
			{1, RecvMessages, "4", 5},
			{0, RecvPeek, "", 5},
			{5, 0, "56789", 0},
			{2, RecvDiscard, "ot", 3},
			{100, 0, "next", 0},
		}
		for i, step := range steps {
			var info RecvInfo
			buf := make([]byte, step.room)
			n, err := pe.TryRecv(buf, &info, step.flags)
			w.ok(err)
			if string(buf[:n]) != step.want || info.Left != step.left {
				w.Fatalf("step %d: %q, %d bytes left; want %q, %d", i, buf[:n], info.Left, step.want, step.left)
			}
			if first := i < 7; first && (info.Stream != 2 || info.PPID != 5 || info.Length != 10) {
				w.Errorf("step %d: %+v", i, info)
			}
		}
		if _, err := pe.TryRecv(nil, nil, 0); !errors.Is(err, ErrWouldBlock) {
			w.Errorf("then %v", err)
		}
	})
}

// TestPartsAndCookies: a message counts as received with its last part.
func TestPartsAndCookies(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		replay := func(c *Config) { c.Replay = true }
		_, pe := w.pe("echo", replay, Registration{})
		pu := w.pu("echo", replay)
		w.ok(pu.TrySend([]byte("abc"), nil))
		synctest.Wait()
		var info RecvInfo
		buf := make([]byte, 2)
		for part, uncovered := range []int{1, 0} {
			_, err := pe.TryRecv(buf, &info, 0)
			w.ok(err)
			w.ok(pe.SendCookie(info.Session, nil))
			synctest.Wait()
			if st := pu.Status().Sessions[0]; st.Uncovered != uncovered {
				w.Errorf("%d messages are not covered after part %d", st.Uncovered, part)
			}
		}
	})
}

// TestPartsMakeRoom: the buffer of a session is freed by and by, and Conns read
// in parts, too.
func TestPartsMakeRoom(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		opts := w.process().options()
		opts.ReceiveBuffer = 1000
		l, err := Listen(w.ctx, "p", opts)
		w.ok(err)
		defer l.Close()
		pu := w.process().dial("p")
		for i := range 50 {
			w.ok(pu.Send(w.ctx, fmt.Appendf(nil, "%0800d", i)))
		}
		c, err := l.Accept(w.ctx)
		w.ok(err)
		for i := range 50 {
			var whole []byte
			for left := 1; left > 0; {
				var info RecvInfo
				buf := make([]byte, 300)
				n, err := c.TryRecv(buf, &info, 0)
				if errors.Is(err, ErrWouldBlock) {
					synctest.Wait()
					continue
				}
				w.ok(err)
				whole, left = append(whole, buf[:n]...), info.Left
			}
			if string(whole) != fmt.Sprintf("%0800d", i) {
				w.Fatalf("message %d is %q", i, whole)
			}
		}
	})
}
