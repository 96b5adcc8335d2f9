package main

// #include "lead.h"
import "C"

import (
	"slices"
	"sync"

	"github.com/librserpool/librserpool/core/socket"
)

// wait is for a thread that is about to wait for the descriptor: it leads, if it can.
func (d *descriptor) wait(lead *C.struct_rspgo_lead) {
	l, fds := d.sock.Lead()
	if len(fds) > len(lead.fds) || !d.setLeader(l) {
		d.leave(l)
		return
	}
	lead.waits = waits.add(d)
	lead.count = C.uint(len(fds))
	for i, fd := range fds {
		lead.fds[i] = C.int(fd)
	}
}

// setLeader notes who leads, unless the descriptor is closed by now.
func (d *descriptor) setLeader(l socket.Leader) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed.Load() {
		return false
	}
	if l != nil {
		d.leader = l
	}
	return true
}

// takeLeader takes the lead from whoever has it.
func (d *descriptor) takeLeader() socket.Leader {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.leader
	d.leader = nil
	return l
}

// step has the leader read what there is.
func (d *descriptor) step(lead *C.struct_rspgo_lead) {
	d.mu.Lock()
	l := d.leader
	d.mu.Unlock()
	if l != nil {
		l.Step(uint(lead.ready))
	}
}

// endWait ends the wait of a thread, because it has what it waited for, or waits no
// longer. If the descriptor was closed it does not lead any more.
func (d *descriptor) endWait(lead *C.struct_rspgo_lead) {
	led := lead.count > 0
	waits.remove(lead.waits)
	lead.waits, lead.count = 0, 0
	var l socket.Leader
	if led {
		if l = d.takeLeader(); l == nil {
			return
		}
	}
	d.leave(l)
}

// endLead ends the lead of whoever has it: the descriptor is closed.
func (d *descriptor) endLead() {
	if l := d.takeLeader(); l != nil {
		d.leave(l)
	}
}

func (d *descriptor) leave(l socket.Leader) {
	if d.sock.Leave(l) {
		lent.add(l)
	}
}

// waits are the waits of all threads, by their numbers: the descriptor may be gone
// before its wait ends.
var waits waitTable

type waitTable struct {
	mu   sync.Mutex
	all  []*descriptor // by number, less one
	free []C.int
}

func (t *waitTable) add(d *descriptor) C.int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := len(t.free); n > 0 {
		number := t.free[n-1]
		t.free = t.free[:n-1]
		t.all[number-1] = d
		return number
	}
	t.all = append(t.all, d)
	return C.int(len(t.all))
}

func (t *waitTable) find(number C.int) *descriptor {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.all[number-1]
}

func (t *waitTable) remove(number C.int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all[number-1] = nil
	t.free = append(t.free, number)
}

// lent are the endpoints that nobody reads for the moment: those who led them are
// about to do so again, perhaps.
var lent lentEndpoints

type lentEndpoints struct {
	mu    sync.Mutex
	all   []socket.Leader
	asked bool // somebody recalls them from time to time
}

func (l *lentEndpoints) add(led socket.Leader) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if slices.Contains(l.all, led) {
		return
	}
	if l.asked = l.asked || C.recall_soon() != 0; !l.asked {
		led.Recall(false)
		return
	}
	l.all = append(l.all, led)
}

// recall gives back those that were not led since the last time, and says whether that is
// all.
func (l *lentEndpoints) recall() (done bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	kept := l.all[:0]
	for _, led := range l.all {
		if led.Recall(true) {
			kept = append(kept, led)
		}
	}
	clear(l.all[len(kept):])
	l.all = kept
	l.asked = len(kept) > 0
	return !l.asked
}

// receiveLeading is receive for a thread that perhaps leads: it takes what it reads, and
// so nobody else is woken for that.
func (d *descriptor) receiveLeading(lead *C.struct_rspgo_lead, waits bool, b []byte, info *socket.RecvInfo, flags socket.RecvFlags) (n int, err error) {
	if lead.count == 0 {
		n, err = d.receive(b, info, flags)
		if err == socket.ErrWouldBlock && !waits && d.sock.ReadLent() {
			n, err = d.receive(b, info, flags)
		}
	} else {
		d.sig.hold()
		d.step(lead)
		n, err = d.receive(b, info, flags)
		d.sig.release()
	}
	if lead.waits != 0 && err != socket.ErrWouldBlock {
		d.endWait(lead)
	}
	return n, err
}

//export rspgo_wait
func rspgo_wait(ino C.uint64_t, lead *C.struct_rspgo_lead) {
	guarded("waiting", func() error {
		d, err := sockets.find(uint64(ino))
		if err == nil {
			d.wait(lead)
		}
		return err
	})
}

//export rspgo_step
func rspgo_step(lead *C.struct_rspgo_lead) {
	guarded("waiting", func() error {
		waits.find(lead.waits).step(lead)
		return nil
	})
}

//export rspgo_leave
func rspgo_leave(lead *C.struct_rspgo_lead) {
	guarded("waiting", func() error {
		waits.find(lead.waits).endWait(lead)
		return nil
	})
}

//export recall_lent
func recall_lent() C.int {
	if lent.recall() {
		return 1
	}
	return 0
}
