package socket

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
)

func numbered(n, size int) (ms []Message) {
	for i := range n {
		m := Message{Data: make([]byte, size)}
		copy(m.Data, fmt.Sprint(i))
		ms = append(ms, m)
	}
	return ms
}

// TestSendBatch sends in order, as much as has room, and says what stopped it.
func TestSendBatch(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		_, pe := w.pe("batch", func(c *Config) { c.ReceiveBuffer = 1 << 16 }, Registration{})
		pu := w.pu("batch", nil)
		if n, err := pu.TrySendBatch(numbered(3, 1)); n != 3 || err != nil {
			t.Fatalf("%d were taken, %v", n, err)
		}
		w.reads("element", pe, "0", "1", "2")
		bad := numbered(3, 1)
		bad[1].PPID = 11
		if n, err := pu.TrySendBatch(bad); n != 1 || !errors.Is(err, ErrInvalid) {
			t.Errorf("with a wrong message: %d, %v", n, err)
		}
		bad[0].Session = 99
		if n, err := pu.TrySendBatch(bad); n != 0 || !errors.Is(err, ErrNotConnected) {
			t.Errorf("with a wrong session: %d, %v", n, err)
		}
		w.reads("element", pe, "0")
		if n, err := pu.TrySendBatch(numbered(200, 1<<16)); n == 0 || n == 200 || !errors.Is(err, ErrWouldBlock) {
			t.Errorf("without room: %d, %v", n, err)
		}
		if n, err := w.process().socket().TrySendBatch(numbered(1, 1)); n != 0 || !errors.Is(err, ErrNotConnected) {
			t.Errorf("not connected: %d, %v", n, err)
		}
	})
}

// TestConnSendBatch waits for room.
func TestConnSendBatch(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		element := w.process().options()
		element.SendBuffer, element.ReceiveBuffer = 1<<17, 1<<17
		l, err := Listen(w.ctx, "batch", element)
		w.ok(err)
		defer l.Close()
		opts := w.process().options()
		opts.SendBuffer, opts.ReceiveBuffer = 1<<17, 1<<17
		c, err := Dial(w.ctx, "batch", opts)
		w.ok(err)
		defer c.Close()
		const count, size = 100, 1 << 14
		done := make(chan error)
		go func() {
			n, err := c.SendBatch(w.ctx, numbered(count, size))
			if n != count {
				t.Errorf("%d were sent", n)
			}
			done <- err
		}()
		peer := w.accept(l)
		synctest.Wait()
		select {
		case err := <-done:
			t.Fatalf("did not wait: %v", err)
		default:
		}
		for i := range count {
			b, err := peer.Recv(w.ctx)
			w.ok(err)
			if want := fmt.Sprint(i); len(b) != size || string(b[:len(want)]) != want {
				t.Fatalf("message %d begins with %q", i, b[:4])
			}
		}
		w.ok(<-done)
		w.ok(peer.Close())
		if _, err := peer.SendBatch(w.ctx, numbered(1, 1)); !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}
