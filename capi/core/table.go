package main

import (
	"context"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// table holds all sockets of the process by the inode number of the program's
// descriptor: it works for every duplicate, and does not come back when the
// program closed it and opened something else.
type table struct {
	mu       sync.RWMutex
	byInode  map[uint64]*descriptor
	removed  [1024]uint64 // the last ones, in a ring
	removals int
	watchers *hangups
	emptied  func() // not nil: called once no socket is left
}

// sockets is the only global state of the core.
var sockets table

func (t *table) find(ino uint64) (*descriptor, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	d := t.byInode[ino]
	switch {
	case d != nil && !d.closed.Load():
		return d, nil
	case d != nil || slices.Contains(t.removed[:], ino): // another thread closed it meanwhile
		return nil, failf(unix.EBADF, "the socket is closed")
	}
	return nil, failf(unix.ENOTSOCK, "the descriptor is open, but rsp_socket did not make it")
}

func (t *table) add(d *descriptor) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.watchers == nil {
		h, err := newHangups()
		if err != nil {
			return err
		}
		t.watchers = h
		t.byInode = make(map[uint64]*descriptor)
	}
	key, err := t.watchers.watch(d.sig.core, func() { t.lost(d) })
	if err != nil {
		return err
	}
	d.watch = key
	t.byInode[d.sig.ino] = d
	return nil
}

func (t *table) remove(d *descriptor) {
	t.mu.Lock()
	delete(t.byInode, d.sig.ino)
	t.removed[t.removals%len(t.removed)] = d.sig.ino
	t.removals++
	t.tellEmpty()
	t.mu.Unlock()
}

func (t *table) tellEmpty() {
	if t.emptied != nil && len(t.byInode) == 0 {
		t.emptied()
		t.emptied = nil
	}
}

// quit closes all sockets, and calls done when that has happened, and whatever goes on
// in the background.
func (t *table) quit(done func()) {
	t.mu.Lock()
	t.emptied = done
	all := slices.Collect(maps.Values(t.byInode))
	t.tellEmpty()
	t.mu.Unlock()
	for _, d := range all {
		go t.lost(d)
	}
}

// shut takes the socket from the program and wakes everybody who waits for it;
// false when that has happened before. The rest is finishClose and remove.
func (t *table) shut(d *descriptor) bool {
	if d.closed.Swap(true) {
		return false
	}
	d.cancel()
	d.sig.close()
	d.endLead()
	return true
}

// unwatch is for a socket that the program closes properly.
func (t *table) unwatch(d *descriptor) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	t.watchers.forget(d.watch)
}

// lost runs when the program closed the descriptor behind our back, or ends.
func (t *table) lost(d *descriptor) {
	if t.shut(d) {
		d.finishClose(context.Background())
		t.remove(d)
	}
}
