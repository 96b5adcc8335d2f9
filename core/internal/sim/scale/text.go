package main

const head = `# How it scales

Measured in the simulated world of core/internal/sim, that is with the machines
and the codec that ship, in virtual time, by

    go run ./core/internal/sim/scale > docs/reports/scale.md

Every registrar knows all others and runs as shipped: a presence to each other
registrar per second, and keep-alives of a pool element every 30 s, or up to once
per second while that makes no more than 100 per second in all. Pool elements
have default values: a life of 300 s, renewed after 280 s; they are spread over
all registrars and ten share a pool. The network takes 1 ms each way and notices
a broken path after 2 s. Everything is a mean over the registrars and over 70 s
in which nothing happens but that a quarter of the pool elements renew their
registrations. The time that processors take is not simulated.

- *messages*, *bytes*: what one registrar sends and receives per second, of ASAP
  with its pool elements, and of ENRP with the other registrars. Bytes are those
  of messages, without SCTP.
- *audit*: what one registrar sends and receives per 30 s to compare checksums
  with all others when nothing differs; and what it takes to repair one lost
  update: messages and bytes between the two that differ.
- *killed*, *silent*: from the end of a registrar, of which its associations
  told, or of which nobody told, until the last of its pool elements is
  registered with another one and told to all.
- *memory*: of one registrar, from the bytes per pool element below.

` + columns

const columns = `| registrars | elements | ASAP messages/s | ASAP bytes/s | ENRP messages/s | ENRP bytes/s | audit, nothing differs | audit, one update lost | killed | silent | memory |
|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
`

const textComputed = `
Rows with ~ are computed: in one process all registrars and pool elements of such
a world would take %d to %d GiB of memory (-memory says how much there is). They
follow from what each figure consists of, fitted to the rows that were measured,
of which none is off by more than %.1f %%: for ASAP the renewals and keep-alives of
the elements that a registrar owns; for ENRP an update for each renewal to or from
every other registrar, the presences, and lists of registrars exchanged with one
other at a time; for an audit the presences, and a table of the elements and pools
that a registrar owns. The times are not computed: they depend on when
associations tell of the end, not on the numbers.
`

const textMemory = `
Memory of one registrar that knows 1,000,000 pool elements, each: %d bytes for
one that it owns (with its association and supervision), %d bytes for one that
another registrar owns.
`

const textRFC = `
With the timers of RFC 5353 (--rfc-timers), a presence per 30 s instead of one
per second, the least of these worlds cost:

` + columns
