// Package registrar is the protocol machine of a registrar (ENRP server): the
// server's side of ASAP (RFC 5352) and all of ENRP (RFC 5353) over one
// handlespace. It is pure: events and the time go in by Step and Advance,
// effects come out by Drain, Next tells when to call Advance.
package registrar
