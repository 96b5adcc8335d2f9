// Package userland is SCTP over UDP (RFC 6951) without help from the kernel:
// the engine of package sctp with UDP sockets, a clock and a lock around it.
//
// One mutex guards the engine. Packets are read by one goroutine per socket,
// or for several of them where a process has many (pollgroup.go). It also runs the
// hooks, so a message travels from the system call to the layer above without
// changing goroutines; what a caller sends leaves in the caller's goroutine.
// Only one goroutine at a time writes packets: whoever comes while it does
// leaves its work in the engine, and the writer takes that along before it
// stops (flush.go). Hooks are serialised in the same way (hooks.go). So no lock
// is held during a system call or a hook, packets keep their order, and the
// busier an endpoint is the larger its batches are.
package userland
