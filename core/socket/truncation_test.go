package socket

import (
	"errors"
	"testing"
	"testing/synctest"
)

// undeliveredPart is a step of reading a notification of which a message of ten bytes is
// part.
type undeliveredPart struct {
	room  int
	flags RecvFlags
	want  string
	left  int
}

// TestNotificationsLoseWhatHasNoRoom: the message that goes with a notification is cut
// off at the end of the buffer, how much is told, and nothing of it comes with the next
// call; to look at it loses nothing.
func TestNotificationsLoseWhatHasNoRoom(t *testing.T) {
	parts := []undeliveredPart{
		{9, 0, "012345678", 1}, {10, 0, "0123456789", 0}, {11, 0, "0123456789", 0}, {0, 0, "", 10}, {1, 0, "0", 9},
		{9, RecvDiscard, "012345678", 1}, {10, RecvDiscard, "0123456789", 0},
	}
	for _, one := range []bool{false, true} {
		run(t, func(w *world) {
			w.process().registrar()
			p, _ := w.pe("n", nil, Registration{})
			no := func(c *Config) { c.NoFailover, c.Notifications = true, NotifyUndelivered }
			pu := w.pu("n", no)
			receive := pu.TryRecv
			send := func(b string) { w.ok(pu.TrySend([]byte(b), nil)) }
			if one {
				opts := w.process().options()
				no(&opts.Config)
				c, err := Dial(w.ctx, "n", opts)
				w.ok(err)
				receive, send = c.TryRecv, func(b string) { w.ok(c.TrySend([]byte(b), nil)) }
			}
			p.freeze()
			for range len(parts) + 1 { // the transport has one of them
				send("0123456789")
			}
			p.kill()
			synctest.Wait()
			step := func(i int, part undeliveredPart) {
				var info RecvInfo
				buf := []byte("............")
				n, err := receive(buf[:part.room], &info, part.flags)
				w.ok(err)
				if note := info.Notification; note == nil || note.Type != Undelivered {
					w.Fatalf("%d: %+v", i, info)
				}
				if string(buf[:n]) != part.want || info.Left != part.left || info.Length != 10 || string(buf[part.room:]) != "............"[part.room:] {
					w.Errorf("%d, with room for %d: %q, %d left of %d; want %q, %d", i, part.room, buf[:n], info.Left, info.Length, part.want, part.left)
				}
			}
			for i, part := range parts {
				look := part
				look.flags |= RecvPeek
				step(i, look)
				step(i, part)
			}
			step(len(parts), parts[0])
			if _, err := receive(nil, nil, 0); err == nil || errors.Is(err, ErrWouldBlock) {
				w.Errorf("then %v", err)
			}
		})
	}
}
