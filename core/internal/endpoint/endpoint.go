// Package endpoint is the pure machine of one ASAP endpoint: one SCTP endpoint
// that is a pool element, a pool user, or both (RFC 5352). Events and the time
// go in, effects and the next deadline come out. Application data never enters
// it: the owner keeps it, the machine says which PE serves a session.
//
// It is composed of three plain sub-states: hunt.Hunt keeps the one home
// registrar that both roles share, element.Element is the PE role, user.User
// the PU role.
package endpoint
