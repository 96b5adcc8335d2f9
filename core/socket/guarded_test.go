package socket

import (
	"sync"
	"testing"
	"time"
)

// TestOptionsAreGuarded: whoever reads or sets options waits for whoever has the socket;
// and with the race detector, many that do it at once are in nobody's way.
func TestOptionsAreGuarded(t *testing.T) {
	s := newSite(t)
	s.echo("echo", s.options())
	c, err := Dial(s.ctx, "echo", s.options())
	s.ok(err)
	defer c.Close()
	sock, id := c.s, c.Status().ID
	all, own := sock.Options(), c.Options()
	calls := map[string]func(){
		"Options":           func() { sock.Options() },
		"SetOptions":        func() { s.ok(sock.SetOptions(all)) },
		"SessionOptions":    func() { _, _ = sock.SessionOptions(id) },
		"SetSessionOptions": func() { _ = sock.SetSessionOptions(id, own) },
		"Conn.Options":      func() { c.Options() },
		"Conn.SetOptions":   func() { s.ok(c.SetOptions(own)) },
		"LoadInterval":      func() { sock.LoadInterval() },
		"SetLoadInterval":   func() { s.ok(sock.SetLoadInterval(time.Second)) },
		"WaitForPool":       func() { sock.WaitForPool() },
		"SetWaitForPool":    func() { sock.SetWaitForPool(time.Second) },
		"SetPoolKey":        func() { s.ok(sock.SetPoolKey(nil)) },
		"Advertise":         func() { s.ok(sock.Advertise(nil)) },
		"Status":            func() { sock.Status() },
		"Stats":             func() { _, _ = sock.Stats(id) },
		"LocalAddrs":        func() { sock.LocalAddrs() },
		"LocalName":         func() { _, _ = sock.LocalName() },
		"PeerName":          func() { _, _ = sock.PeerName(id) },
		"SessionAddrs":      func() { _, _, _ = sock.SessionAddrs(id) },
	}
	var running sync.WaitGroup
	returned := make(chan string, len(calls))
	sock.mu.Lock()
	for name, call := range calls {
		running.Go(func() {
			call()
			returned <- name
		})
	}
	time.Sleep(50 * time.Millisecond) // for those that do not wait
	select {
	case name := <-returned:
		t.Errorf("%s does not wait for the lock", name)
	default:
	}
	sock.mu.Unlock()
	running.Wait()
	for _, call := range calls {
		for range 2 {
			running.Go(func() {
				for range 50 {
					call()
				}
			})
		}
	}
	running.Wait()
}
