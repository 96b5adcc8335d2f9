package protocol

import (
	"fmt"
	"strings"
)

// String describes the transport for a log line or a table, as in
// "SCTP 192.0.2.1,2001:db8::1 port 7777 data+control".
func (t Transport) String() string {
	switch t.Protocol {
	case 0:
		return t.Protocol.String()
	case Opaque:
		return fmt.Sprintf("opaque %.32q", t.Opaque)
	}
	var s strings.Builder
	s.WriteString(t.Protocol.String())
	for i, a := range t.Addrs {
		s.WriteByte(" ,"[min(i, 1)])
		s.WriteString(a.String())
	}
	fmt.Fprintf(&s, " port %d", t.Port)
	switch {
	case t.Protocol == DCCP:
		fmt.Fprintf(&s, " service %#08x", t.ServiceCode)
	case t.Protocol == SCTP && t.Use == DataAndControl:
		s.WriteString(" data+control")
	}
	return s.String()
}

// String describes the policy with the values its type uses, as in "WRR
// weight 3" or "LUD load 25.0% degradation 1.0%".
func (p Policy) String() string {
	switch p.Type {
	case WeightedRoundRobin, WeightedRandom:
		return fmt.Sprintf("%v weight %d", p.Type, p.Weight)
	case Priority:
		return fmt.Sprintf("%v priority %d", p.Type, p.Priority)
	case LeastUsed, RandomizedLeastUsed:
		return fmt.Sprintf("%v load %s", p.Type, percent(p.Load))
	case LeastUsedWithDegradation, PriorityLeastUsed:
		return fmt.Sprintf("%v load %s degradation %s", p.Type, percent(p.Load), percent(p.Degradation))
	}
	return p.Type.String()
}

// percent prints a load, of which 0xffffffff is 100 % (POL-3.1-01).
func percent(load uint32) string {
	return fmt.Sprintf("%.1f%%", float64(load)/0xffffffff*100)
}

func (l Life) String() string {
	if d, ok := l.Duration(); ok {
		return d.String()
	}
	return "infinite"
}

// String describes the element on one line.
func (e Element) String() string {
	s := fmt.Sprintf("PE %v home %v life %v, %v, %v", e.ID, e.Home, e.Life, e.User, e.Policy)
	if !e.ASAP.IsZero() {
		s += ", ASAP at " + e.ASAP.String()
	}
	return s
}

func (s Server) String() string { return fmt.Sprintf("registrar %v at %v", s.ID, s.Transport) }

// String names the cause and, where it carries information, how much.
func (c Cause) String() string {
	if len(c.Info) == 0 {
		return c.Code.String()
	}
	return fmt.Sprintf("%v (%d bytes)", c.Code, len(c.Info))
}
