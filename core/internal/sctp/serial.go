package sctp

// Serial number arithmetic of RFC 1982 for TSNs and SSNs (RFC 9260 section
// 1.6, SCTP-3-01).

// tsnLess says that a comes before b.
func tsnLess(a, b uint32) bool { return int32(a-b) < 0 }

// tsnLessEq says that a comes before b or equals it.
func tsnLessEq(a, b uint32) bool { return int32(a-b) <= 0 }

// ssnLess says that a comes before b.
func ssnLess(a, b uint16) bool { return int16(a-b) < 0 }
