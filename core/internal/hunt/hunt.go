// Package hunt finds and keeps the home registrar of one ASAP endpoint: the
// list of known registrars (RFC 5352 section 3.6), the server hunt SH1 to SH6,
// and the association with the registrar that was chosen. It is a plain
// sub-state of endpoint.Endpoint.
package hunt

// Token correlates a Connect effect with the events that answer it. Zero is
// never used.
type Token uint64
