package session

import (
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
	orDefault(&o.FailoverLimit, 15*time.Second)
	orDefault(&o.SendLimit, -1)
	orDefault(&o.SendBuffer, d.SendBuffer)
	orDefault(&o.ReceiveBuffer, d.ReceiveBuffer)
	orDefault(&o.RTOInitial, d.RTOInitial)
	orDefault(&o.RTOMin, d.RTOMin)
	orDefault(&o.RTOMax, d.RTOMax)
	orDefault(&o.Heartbeat, d.HeartbeatInterval)
	orDefault(&o.PathRetransmits, d.PathMaxRetrans)
	orDefault(&o.AssocRetransmits, d.AssocMaxRetrans)
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

// orDefault fills in a field that is not set.
func orDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
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
