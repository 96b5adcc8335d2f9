package socket

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// deaf is an element with two pool users, of which the first does not read.
type deaf struct {
	*world
	pe       *Socket
	users    [2]*Socket
	sessions [2]SessionID
	ready    *readyLog
}

func (w *world) deaf(change func(*Config)) *deaf {
	w.Helper()
	w.process().registrar()
	d := &deaf{world: w}
	_, d.pe = w.pe("deaf", func(c *Config) {
		c.SendBuffer = 10_000
		if change != nil {
			change(c)
		}
	}, Registration{})
	for i := range d.users {
		d.users[i] = w.pu("deaf", func(c *Config) { c.ReceiveBuffer = 10_000 })
		w.send(d.users[i], 0, "hello")
		synctest.Wait()
		d.sessions[i] = d.receives("hello")
	}
	d.ready = hook(d.pe)
	w.edges("at first", &d.ready.writable, true)
	return d
}

// receives returns the session of the next message, past notifications.
func (d *deaf) receives(want string) SessionID {
	d.Helper()
	b := make([]byte, 1000)
	for {
		var info RecvInfo
		n, err := d.pe.TryRecv(b, &info, 0)
		d.ok(err)
		if info.Notification == nil {
			if string(b[:n]) != want {
				d.Fatalf("received %q, want %q", b[:n], want)
			}
			return info.Session
		}
	}
}

// fill sends to a user until there is no room.
func (d *deaf) fill(i int) (sent int) {
	d.Helper()
	for err := error(nil); err == nil; sent++ {
		err = d.pe.TrySend(make([]byte, 100), &SendInfo{Session: d.sessions[i]})
		synctest.Wait()
		if err != nil && !errors.Is(err, ErrWouldBlock) {
			d.Fatal(err)
		}
	}
	return sent - 1
}

// TestOneThatDoesNotReadIsNotAll: the others have room, and the socket shows that.
func TestOneThatDoesNotReadIsNotAll(t *testing.T) {
	run(t, func(w *world) {
		d := w.deaf(func(c *Config) { c.Notifications = NotifySendReady })
		sent := d.fill(0)
		w.edges("one is full", &d.ready.writable)
		w.ok(d.pe.TrySend([]byte("there is room"), &SendInfo{Session: d.sessions[1]}))
		ctx, cancel := context.WithTimeout(w.ctx, time.Minute)
		if err := d.pe.AwaitRoom(ctx, d.sessions[0]); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("no room is waited for: %v", err)
		}
		cancel()
		w.ok(d.pe.AwaitRoom(w.ctx, d.sessions[1]))
		d.fill(1)
		w.edges("both are full", &d.ready.writable, false)

		waited := make(chan error, 1)
		go func() { waited <- d.pe.AwaitRoom(w.ctx, d.sessions[0]) }()
		b := make([]byte, 1000)
		for range sent {
			_, err := d.users[0].TryRecv(b, nil, 0)
			w.ok(err)
			synctest.Wait()
		}
		w.ok(<-waited)
		w.edges("the first has room", &d.ready.writable, true)
		var info RecvInfo
		_, err := d.pe.TryRecv(b, &info, 0)
		w.ok(err)
		if n := info.Notification; n == nil || n.Type != SendReady || info.Session != d.sessions[0] {
			t.Errorf("told %+v", info)
		}
		if _, err := d.pe.TryRecv(b, &info, 0); !errors.Is(err, ErrWouldBlock) {
			t.Errorf("then %+v, %v", info, err)
		}
		d.fill(0)
		w.ok(d.pe.EndSession(d.sessions[1])) // has no room, and so does not end
		w.edges("both are full", &d.ready.writable, false)
	})
}

// TestSendLimitEndsOneSession that has no room for so long, and no other one.
func TestSendLimitEndsOneSession(t *testing.T) {
	run(t, func(w *world) {
		d := w.deaf(func(c *Config) {
			c.SendLimit, c.Notifications = 5*time.Second, NotifySessions|NotifyUndelivered
		})
		d.fill(0)
		waited := make(chan error, 1)
		began := time.Now()
		go func() { waited <- d.pe.AwaitRoom(w.ctx, d.sessions[0]) }()
		if err := <-waited; !errors.Is(err, ErrSendLimit) || !errors.Is(err, ErrNotConnected) || time.Since(began) != 5*time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		b := make([]byte, 1000)
		back := 0
		for {
			var info RecvInfo
			_, err := d.pe.TryRecv(b, &info, 0)
			w.ok(err)
			if info.Session != d.sessions[0] || info.Notification == nil {
				t.Fatalf("received %+v", info)
			}
			if info.Notification.Type == SessionRemoved {
				if !errors.Is(info.Notification.Err, ErrSendLimit) {
					t.Errorf("removed because of %v", info.Notification.Err)
				}
				break
			}
			back++
		}
		if back < 50 {
			t.Errorf("%d messages are given back", back)
		}
		w.ok(d.pe.TrySend([]byte("still there"), &SendInfo{Session: d.sessions[1]}))
		synctest.Wait()
		if got, _ := w.read(d.users[1]); len(got) != 1 || got[0] != "still there" {
			t.Errorf("the other user received %q", got)
		}
		time.Sleep(time.Minute)
		if st := d.pe.Status(); len(st.Sessions) != 1 || !st.Registered {
			t.Errorf("then %+v", st)
		}
	})
}

// TestSendLimitStops when there is room in time, and can be set late.
func TestSendLimitStops(t *testing.T) {
	run(t, func(w *world) {
		d := w.deaf(func(c *Config) { c.SendLimit = 5 * time.Second })
		b := make([]byte, 1000)
		for range 10 {
			d.fill(0)
			time.Sleep(4 * time.Second)
			for {
				if _, err := d.users[0].TryRecv(b, nil, 0); err != nil {
					break
				}
			}
			synctest.Wait()
		}
		w.ok(d.pe.TrySend([]byte("x"), &SendInfo{Session: d.sessions[0]}))
		d.fill(1)
		o, err := d.pe.SessionOptions(d.sessions[1])
		w.ok(err)
		o.SendLimit = -1
		w.ok(d.pe.SetSessionOptions(d.sessions[1], o))
		time.Sleep(time.Minute)
		w.ok(d.pe.AwaitRoom(w.ctx, d.sessions[0]))
		o.SendLimit = time.Second
		w.ok(d.pe.SetSessionOptions(d.sessions[1], o))
		if err := d.pe.AwaitRoom(w.ctx, d.sessions[1]); !errors.Is(err, ErrSendLimit) {
			t.Errorf("then %v", err)
		}
	})
}

// TestSendLimitSparesTheSlow: whose peer goes on reading, however slowly, has time,
// also long before half of the buffer is free again.
func TestSendLimitSparesTheSlow(t *testing.T) {
	run(t, func(w *world) {
		d := w.deaf(func(c *Config) { c.SendLimit = 5 * time.Second })
		d.fill(0)
		b := make([]byte, 1000)
		for range 4 {
			time.Sleep(4 * time.Second)
			for range 15 { // more than an eighth of its buffer: that is told at once
				_, err := d.users[0].TryRecv(b, nil, 0)
				w.ok(err)
			}
			if err := d.pe.TrySend(make([]byte, 10_000), &SendInfo{Session: d.sessions[0]}); !errors.Is(err, ErrWouldBlock) {
				t.Fatalf("before half of the buffer is free: %v", err)
			}
		}
		d.fill(0)
		time.Sleep(time.Minute)
		if err := d.pe.TrySend([]byte("x"), &SendInfo{Session: d.sessions[0]}); !errors.Is(err, ErrNotConnected) {
			t.Errorf("who reads nothing any more: %v", err)
		}
	})
}

// TestSendLimitOfAPoolUser ends its session, and nobody is reported.
func TestSendLimitOfAPoolUser(t *testing.T) {
	run(t, func(w *world) {
		r := w.process().registrar()
		w.pe("q", func(c *Config) { c.ReceiveBuffer = 10_000 }, Registration{})
		c, err := Dial(w.ctx, "q", func() *Options {
			o := w.process().options()
			o.SendBuffer, o.SendLimit = 10_000, 3*time.Second
			return o
		}())
		w.ok(err)
		defer c.Close()
		for err == nil {
			err = c.Send(w.ctx, make([]byte, 100))
		}
		if !errors.Is(err, ErrSendLimit) {
			t.Errorf("send: %v", err)
		}
		if err := c.AwaitRoom(w.ctx); !errors.Is(err, ErrSendLimit) {
			t.Errorf("then: %v", err)
		}
		time.Sleep(time.Minute)
		if ps := r.Pools(); len(ps) != 1 || len(ps[0].Elements) != 1 {
			t.Errorf("the registrar knows %+v", ps)
		}
	})
}

// TestAwaitRoomEndsWithTheSocket, the session and the lack of one.
func TestAwaitRoomEndsWithTheSocket(t *testing.T) {
	run(t, func(w *world) {
		d := w.deaf(nil)
		d.fill(0)
		waited := make(chan error, 1)
		go func() { waited <- d.pe.AwaitRoom(w.ctx, d.sessions[0]) }()
		synctest.Wait()
		w.ok(d.users[0].Close())
		err := <-waited
		if synctest.Wait(); err == nil { // what was not read has left, and so there was room before
			err = d.pe.AwaitRoom(w.ctx, d.sessions[0])
		}
		if !errors.Is(err, ErrNotConnected) {
			t.Errorf("end of the session: %v", err)
		}
		if err := d.pe.AwaitRoom(w.ctx, 77); !errors.Is(err, ErrNotConnected) {
			t.Errorf("no session: %v", err)
		}
		d.fill(1)
		go func() { waited <- d.pe.AwaitRoom(w.ctx, d.sessions[1]) }()
		synctest.Wait()
		w.ok(d.pe.Close())
		if err := <-waited; !errors.Is(err, ErrClosed) {
			t.Errorf("end of the socket: %v", err)
		}
	})
}
