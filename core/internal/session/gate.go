package session

import "time"

// A session with HoldFailover sends the next element nothing but the cookie
// until the program, which reads FailoverCompleted, has said what that element
// has to know first, and calls Resume: the failover callback of RFC 5351
// section 4.2 (OVR-4.2-03), without calling back.

// failoverGate is where a session is in this.
type failoverGate uint8

const (
	gateOpen      failoverGate = iota
	gateShut                   // the program has not read of the failover yet
	gateForRepair              // it has: what it sends goes ahead of what waits
)

// shutGate begins it; opener is the notification that the program has to read.
func (ss *Session) shutGate(opener *Notification) {
	ss.gate, ss.gateOpener = gateShut, opener
}

// ahead says that what the program sends now is not to wait for older messages.
func (ss *Session) ahead() bool { return ss.gate == gateForRepair && ss.phase == established }

// read notes that the program has read a notification.
func (ss *Session) read(n *Notification) {
	if n == ss.offer {
		ss.offer = nil
	}
	if ss.gate == gateShut && n == ss.gateOpener {
		ss.gate, ss.gateOpener = gateForRepair, nil
	}
}

// openGate ends it.
func (ss *Session) openGate() { ss.gate, ss.gateOpener = gateOpen, nil }

// Resume lets a session that HoldFailover holds back go on. It does nothing while the
// program has not read of the newest failover: what it has said was for an element that is
// lost by now.
func (t *Table) Resume(now time.Time, ss *Session) {
	t.now = now
	if ss.gate == gateForRepair {
		ss.openGate()
		t.flush(ss)
	}
}
