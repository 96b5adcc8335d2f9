// Package kernel is SCTP as the Linux kernel has it (5.10 and newer): a
// one-to-many SOCK_SEQPACKET socket of RFC 6458.
//
// Recv and Send are one system call each, made by the goroutine that calls
// them. A goroutine of the endpoint only waits until the socket is readable,
// and one until it is writable after it was not. What the kernel tells is put
// into the order that package assoc promises (notification.go).
//
// Some parameters belong to the socket or the host here: SendBuffer and
// ReceiveBuffer are shared by all associations of an endpoint unless
// net.sctp.sndbuf_policy and rcvbuf_policy say otherwise, ShutdownGuard is five
// times RTOMax, and the own UDP port of encapsulation is net.sctp.udp_port.
package kernel
