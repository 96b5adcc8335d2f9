package main

const head = `# How it scales

Measured in the simulated world of core/internal/sim, that is with the machines
and the codec that ship, in virtual time:

    go run ./core/internal/sim/scale > docs/scale.md

(-registrars and -elements choose other sizes. Worlds whose registrars hold more
than 4,000,000 entries together are left out for lack of memory (100 registrars
with 100,000 PEs took more than 10 GB); -entries sets another limit.)

Every registrar knows all others. Pool elements have default values: a life of
300 s, renewed after 280 s, and a keep-alive every 30 s; they are spread over all
registrars and ten share a pool. The network takes 1 ms each way and notices a
broken path after 2 s. Everything is a mean over the registrars and over 280 s
in which nothing happens but that every pool element renews its registration
once.

- *messages*, *bytes*: what one registrar sends and receives per second, of ASAP
  with its pool elements, and of ENRP with the other registrars. Bytes are those
  of messages, without SCTP.
- *audit*: what one registrar sends and receives per 30 s to compare checksums
  with all others when nothing differs; and what it takes to repair one lost
  update: messages and bytes between the two that differ.
- *killed*, *silent*: from the end of a registrar, of which its associations
  told, or of which nobody told, until the last of its pool elements is
  registered with another one and told to all.

| registrars | elements | ASAP messages/s | ASAP bytes/s | ENRP messages/s | ENRP bytes/s | audit, nothing differs | audit, one update lost | killed | silent |
|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
`

const tail = `
Memory of one registrar that knows 1,000,000 pool elements, each: %d bytes for
one that it owns (with its association and supervision), %d bytes for one that
another registrar owns.
`
