package session

import (
	"cmp"
	"fmt"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// Options are the settings of a session; rserpool.SessionOptions explains them.
type Options struct {
	FailoverLimit                     time.Duration
	SendBuffer, ReceiveBuffer         int
	SendLimit                         time.Duration
	Notifications                     Notifications
	Replay                            bool
	NoFailover                        bool
	HoldFailover                      bool
	FailBack                          bool
	DSCP                              int
	RTOInitial, RTOMin, RTOMax        time.Duration
	Heartbeat                         time.Duration
	PathRetransmits, AssocRetransmits int
}

// maxDSCP is the largest codepoint of six bits.
const maxDSCP = 63

// Resolve fills in the defaults and looks for nonsense (ErrInvalid).
func (o Options) Resolve() (Options, error) {
	d := assoc.Default()
	o.FailoverLimit = cmp.Or(o.FailoverLimit, 15*time.Second)
	o.SendLimit = cmp.Or(o.SendLimit, -1)
	o.SendBuffer = cmp.Or(o.SendBuffer, d.SendBuffer)
	o.ReceiveBuffer = cmp.Or(o.ReceiveBuffer, d.ReceiveBuffer)
	o.RTOInitial = cmp.Or(o.RTOInitial, d.RTOInitial)
	o.RTOMin = cmp.Or(o.RTOMin, d.RTOMin)
	o.RTOMax = cmp.Or(o.RTOMax, d.RTOMax)
	o.Heartbeat = cmp.Or(o.Heartbeat, d.HeartbeatInterval)
	o.PathRetransmits = cmp.Or(o.PathRetransmits, d.PathMaxRetrans)
	o.AssocRetransmits = cmp.Or(o.AssocRetransmits, d.AssocMaxRetrans)
	switch {
	case o.SendBuffer < 0 || o.ReceiveBuffer < 0:
		return o, fmt.Errorf("%w: SendBuffer %d or ReceiveBuffer %d is negative; they are sizes in bytes", ErrInvalid, o.SendBuffer, o.ReceiveBuffer)
	case o.RTOMin < 0 || o.RTOMax < o.RTOMin || o.RTOInitial < o.RTOMin || o.RTOInitial > o.RTOMax:
		return o, fmt.Errorf("%w: RTO %v (initial), %v (minimum), %v (maximum); the initial value lies between the others", ErrInvalid, o.RTOInitial, o.RTOMin, o.RTOMax)
	case o.PathRetransmits < 0 || o.AssocRetransmits < 0:
		return o, fmt.Errorf("%w: %d or %d retransmissions; they are numbers from 1 on", ErrInvalid, o.PathRetransmits, o.AssocRetransmits)
	case o.DSCP < 0 || o.DSCP > maxDSCP:
		return o, fmt.Errorf("%w: DSCP %d; it is 0 to %d", ErrInvalid, o.DSCP, maxDSCP)
	case o.Replay && o.NoFailover:
		return o, fmt.Errorf("%w: Replay repeats messages after a failover; with NoFailover there is none", ErrInvalid)
	case o.Notifications&^NotifyAll != 0:
		return o, fmt.Errorf("%w: notifications %#x; known are %#x", ErrInvalid, uint16(o.Notifications), uint16(NotifyAll))
	}
	o.SendBuffer, o.ReceiveBuffer = max(o.SendBuffer, MinBuffer), max(o.ReceiveBuffer, MinBuffer)
	return o, nil
}

// params are the options as the transport knows them, without the sizes of buffers.
func (o Options) params() assoc.Params {
	p := o.timing()
	if p.DSCP = o.DSCP; p.DSCP == 0 {
		p.DSCP = -1 // not that of before
	}
	return p
}

// timing are those that tune failure detection.
func (o Options) timing() assoc.Params {
	return assoc.Params{
		RTOInitial: o.RTOInitial, RTOMin: o.RTOMin, RTOMax: o.RTOMax, HeartbeatInterval: o.Heartbeat,
		PathMaxRetrans: o.PathRetransmits, AssocMaxRetrans: o.AssocRetransmits,
	}
}

// leaveTiming says that the options do not choose SCTP's timing.
func (o Options) leaveTiming() bool {
	d, _ := Options{}.Resolve() // the defaults are good
	return o.timing() == d.timing()
}
