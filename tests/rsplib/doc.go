// Package rsplib lets this library and RSPLIB, the other implementation of
// RSerPool, meet: registrars, pool elements and pool users of both as real
// processes, each on a host of its own, which is a network namespace, over the
// SCTP of the kernel. The tests need RSPLIB's programs, root and a kernel with
// SCTP, and are run by make interop-rsplib and make bench-rsplib, in a virtual
// machine where the kernel has none. They write docs/reports/interoperability-rsplib.md
// and a part of docs/reports/benchmarks-enrp.md.
package rsplib
