package socket

import (
	"testing"
)

// BenchmarkEcho is one message there and back over UDP on loopback.
func BenchmarkEcho(b *testing.B) {
	s := newSite(b)
	s.echo("echo", s.options())
	c, err := Dial(s.ctx, "echo", s.options())
	s.ok(err)
	defer c.Close()
	line := make([]byte, 64)
	for b.Loop() {
		if err := c.Send(s.ctx, line); err != nil {
			b.Fatal(err)
		}
		if _, err := c.Recv(s.ctx); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBulk is messages of 4 KiB as fast as the element takes them.
func BenchmarkBulk(b *testing.B) {
	s := newSite(b)
	l, err := Listen(s.ctx, "sink", s.options())
	s.ok(err)
	defer l.Close()
	c, err := Dial(s.ctx, "sink", s.options())
	s.ok(err)
	defer c.Close()
	message := make([]byte, 4096)
	b.SetBytes(int64(len(message)))
	s.ok(c.Send(s.ctx, message))
	in, err := l.Accept(s.ctx)
	s.ok(err)
	done := make(chan error, 1)
	go func() {
		for range b.N {
			if err := c.Send(s.ctx, message); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for range b.N + 1 {
		if _, err := in.Recv(s.ctx); err != nil {
			b.Fatal(err)
		}
	}
	s.ok(<-done)
}
