// Package socket is the socket of the C library: one SCTP endpoint that is a pool
// element, a pool user, or both, with calls that do not wait and hooks that tell when
// they would succeed. It gives the machines of ASAP and of sessions a lock, a clock and
// a transport, finds registrars, keeps the registration, and knows the environment.
//
// It is not for Go programs: those use package rserpool, which is made of it. It stands
// outside of internal only because the C library does, follows the C header, and
// changes with it.
package socket
