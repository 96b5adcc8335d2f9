package kernel

// What the options for streams and interleaving take (RFC 8260 section 4).
const (
	optStreamScheduler = 123 // SCTP_STREAM_SCHEDULER, Linux 4.15
	optInterleaving    = 125 // SCTP_INTERLEAVING_SUPPORTED, Linux 4.16
	roundRobin         = 2   // SCTP_SS_RR in linux/sctp.h
)

// interleaving is for tests: no endpoint asks for I-DATA. Linux (6.1) spoils what
// it was given to send before the association was established: it has cut that as
// DATA, and numbers it as I-DATA.
var interleaving = false

// takeTurns lets streams take turns, message by message (SCTP-3-07). Kernels that
// do not know how do without.
func takeTurns(fd uintptr) {
	_ = setOption(fd, optStreamScheduler, words(0, roundRobin))
	if interleaving {
		_ = setOption(fd, optInterleaving, words(0, 1))
	}
}
