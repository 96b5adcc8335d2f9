// Package interop holds the tests of the userland transport against SCTP
// implementations that are not ours.
package interop
