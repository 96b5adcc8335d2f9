package wire

import (
	"encoding/binary"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// parsePolicy reads a policy (RFC 5356 sections 4 and 5). All policies have
// the same beginning (COM-3.8-01), so that types nobody knows yet can be read
// too and go through as they came (POL-7-02).
func parsePolicy(t TLV) (protocol.Policy, error) {
	v := t.value()
	if len(v) < 4 {
		return protocol.Policy{}, Invalidf("length is %d, must be at least 8", len(t.Raw))
	}
	p := protocol.Policy{Type: protocol.PolicyType(binary.BigEndian.Uint32(v))}
	if err := checkPolicyType(p.Type); err != nil {
		return p, err
	}
	v = v[4:]
	if !p.Type.Known() {
		p.Private = string(v)
		return p, nil
	}
	fields, n := policyFields(&p)
	if len(v) != 4*n {
		return p, Invalidf("length is %d, that of %v must be %d", len(t.Raw), p.Type, 8+4*n)
	}
	for i, f := range fields[:n] {
		*f = binary.BigEndian.Uint32(v[4*i:])
	}
	return p, nil
}

// checkPolicyType refuses the two types that no policy may have (POL-7-01).
func checkPolicyType(t protocol.PolicyType) error {
	if t&^0x40000000 == 0 {
		return Invalidf("policy type %#08x is invalid", uint32(t))
	}
	return nil
}

// policyFields lists, in wire order, the n fields that a known type has.
func policyFields(p *protocol.Policy) (fields [2]*uint32, n int) {
	switch p.Type {
	case protocol.WeightedRoundRobin, protocol.WeightedRandom:
		fields[0], n = &p.Weight, 1
	case protocol.Priority:
		fields[0], n = &p.Priority, 1
	case protocol.LeastUsed, protocol.RandomizedLeastUsed:
		fields[0], n = &p.Load, 1
	case protocol.LeastUsedWithDegradation, protocol.PriorityLeastUsed:
		fields, n = [2]*uint32{&p.Load, &p.Degradation}, 2
	}
	return fields, n
}

// Policy writes a Pool Member Selection Policy parameter.
func (w *Writer) Policy(p protocol.Policy) {
	if err := checkPolicyType(p.Type); err != nil {
		w.Failf("%v", err)
		return
	}
	mark := w.open(ParamPolicy)
	w.Uint32(uint32(p.Type))
	if p.Type.Known() {
		fields, n := policyFields(&p)
		for _, f := range fields[:n] {
			w.Uint32(*f)
		}
	} else {
		w.string(p.Private)
	}
	w.close(mark)
}
