package protocol

import "fmt"

// PolicyType is a pool member selection policy (RFC 5356; wire codes of
// RFC 5354 section 3.8). Bit 31 marks private policies, bit 30 adaptive ones.
type PolicyType uint32

// The policies of RFC 5356.
const (
	RoundRobin               PolicyType = 0x00000001
	WeightedRoundRobin       PolicyType = 0x00000002
	Random                   PolicyType = 0x00000003
	WeightedRandom           PolicyType = 0x00000004
	Priority                 PolicyType = 0x00000005
	LeastUsed                PolicyType = 0x40000001
	LeastUsedWithDegradation PolicyType = 0x40000002
	PriorityLeastUsed        PolicyType = 0x40000003
	RandomizedLeastUsed      PolicyType = 0x40000004
)

// Private says whether the type is from the range left to implementations.
func (t PolicyType) Private() bool { return t&0x80000000 != 0 }

// Known says whether t is one of RFC 5356's nine policies.
func (t PolicyType) Known() bool { _, ok := policyNames[t]; return ok }

var policyNames = map[PolicyType]string{
	RoundRobin:               "RR",
	WeightedRoundRobin:       "WRR",
	Random:                   "RAND",
	WeightedRandom:           "WRAND",
	Priority:                 "PRIO",
	LeastUsed:                "LU",
	LeastUsedWithDegradation: "LUD",
	PriorityLeastUsed:        "PLU",
	RandomizedLeastUsed:      "RLU",
}

func (t PolicyType) String() string {
	if s, ok := policyNames[t]; ok {
		return s
	}
	return fmt.Sprintf("policy-%#08x", uint32(t))
}

// Policy is a policy with the values one PE gives it. Only the fields its type
// uses are meaningful, the others are zero. It is comparable.
type Policy struct {
	Type        PolicyType
	Weight      uint32 // WRR, WRAND; 0 = cannot serve (POL-3.2-01)
	Priority    uint32 // PRIO; larger is better
	Load        uint32 // LU, LUD, PLU, RLU; 0xffffffff = 100 % (POL-3.1-01)
	Degradation uint32 // LUD, PLU; same scale as Load
	Private     string // data of a type that is not Known, forwarded as it came
}
