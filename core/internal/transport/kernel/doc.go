// Package kernel is SCTP as the Linux kernel has it (5.10 and newer; UDP
// encapsulation chosen per association 5.11): a one-to-many SOCK_SEQPACKET
// socket of RFC 6458.
//
// Recv and Send are one system call each, made by the goroutine that calls
// them. A goroutine of the endpoint only waits until the socket is readable,
// and one until it is writable after it was not. What the kernel tells is put
// into the order that package assoc promises (notification.go).
//
// A socket has one queue, so an association that is held is peeled off into a
// socket of its own (hold.go), where its receive window closes without a word
// while the others go on. It stays there until it ends, and costs a descriptor;
// where there is none left, the whole endpoint waits instead. The same is done with
// the one that has most in the send buffer when that is full (room.go).
//
// Some parameters belong to the socket or the host here: SendBuffer and
// ReceiveBuffer are shared by all associations of an endpoint that are not
// peeled off, unless net.sctp.sndbuf_policy and rcvbuf_policy say otherwise;
// ShutdownGuard is at most five times RTOMax; times are rounded to the
// kernel's ticks; and the own UDP port of encapsulation is net.sctp.udp_port.
package kernel
