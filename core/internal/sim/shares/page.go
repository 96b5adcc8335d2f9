package main

import (
	"fmt"
	"strings"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// sizes of pools, and the sessions that are opened with each element on average.
var sizes = []int{3, 100}

const each = 40

func page() string {
	var b strings.Builder
	b.WriteString(head)
	for _, n := range sizes {
		fmt.Fprintf(&b, textStill, n, n*each)
		for _, t := range policies {
			b.WriteString(stillRow(t, n))
		}
	}
	b.WriteString(textHeld)
	for _, n := range sizes {
		fmt.Fprintf(&b, textPool, n)
		for _, t := range policies {
			b.WriteString(heldRow(t, n))
		}
	}
	b.WriteString(textEnd)
	return b.String()
}

func stillRow(t protocol.PolicyType, n int) string {
	registrar, cache := openAll(t, n, n*each, false), openAll(t, n, n*each, true)
	return fmt.Sprintf("| %s | %s | %s | %s | %.0f | %.0f |\n", names[t], triple(registrar.want),
		triple(registrar.shares), triple(cache.shares), registrar.off, cache.off)
}

func heldRow(t protocol.PolicyType, n int) string {
	registrar, cache := hold(t, n, false), hold(t, n, true)
	return fmt.Sprintf("| %s | %s | %s | %.0f | %s | %s | %.0f |\n", names[t],
		triple(registrar.shares), triple(registrar.load), 100*registrar.most,
		triple(cache.shares), triple(cache.load), 100*cache.most)
}

func triple(x [kinds]float64) string {
	return fmt.Sprintf("%.0f / %.0f / %.0f", 100*x[0], 100*x[1], 100*x[2])
}

var names = map[protocol.PolicyType]string{
	protocol.RoundRobin: "Round Robin", protocol.WeightedRoundRobin: "Weighted Round Robin",
	protocol.Random: "Random", protocol.WeightedRandom: "Weighted Random", protocol.Priority: "Priority",
	protocol.LeastUsed: "Least Used", protocol.LeastUsedWithDegradation: "Least Used with Degradation",
	protocol.PriorityLeastUsed: "Priority Least Used", protocol.RandomizedLeastUsed: "Randomized Least Used",
}

const head = `# What the policies do

Written by ` + "`go run ./core/internal/sim/shares -o docs/reports/policies.md`" + `: the machines of a registrar and of pool users
that ship, in virtual time. It comes out the same each time.

A pool user that opens a session uses one element: at the registrar it is the first one of an answer, and the others of
the list are there in case that it fails. Where the pool user keeps answers (for 30 s, or as long as it is told of
changes) it chooses from the list by the policy itself, so that the sessions from one answer are shared like sessions
from as many answers.

Every pool has elements of three kinds, in turn, and all numbers come as *first / second / third kind*:

| | first | second | third |
|---|---|---|---|
| weight (Weighted Round Robin, Weighted Random) | 1 | 2 | 4 |
| priority | 1 | 2 | 3 |
| load (Least Used and its relatives) | 10 % | 50 % | 50 % |
| degradation, Least Used with Degradation | 1 % | 1 % | 1 % |
| degradation, Priority Least Used | 45 % | 5 % | 1 % |

## Loads that stay

Sessions are opened one after the other, and no element registers again. *Registrar*: each session has an answer of its
own. *Cache*: one pool user opens all of them from one answer. *Expected* is what RFC 5356 gives: equal shares for
Round Robin and Random (sections 4.1, 4.3), weight by sum of weights (4.2, 4.4), only the highest priority (4.5), only
the lowest load (5.1) or sum of load and degradation (5.3), the lowest load + counter * degradation each time (5.2), the
share of what is left unused, 100 % - load (5.4). *Off*: by how many sessions the one element that is farthest from
its expected number misses it, at the registrar and from the cache; only chance has a hand in Random, Weighted Random
and Randomized Least Used.
`
const textStill = `
%d elements, %d sessions; shares in percent:

| policy | expected | registrar | cache | off, registrar | off, cache |
|---|---|---|---|---|---|
`
const textHeld = `
## Sessions that are held

Elements take 10, 20 or 40 sessions, which is 100 % of their load, and register again within a second or so when it has
changed; weights and priorities are as above, and a session degrades by what it is of an element. 20 pool users open
sessions at random, of one minute on average, so that half of the pool is in use, for 20 minutes. *Registrar*: they ask
for each session. *Cache*: they keep answers and subscribe to changes, as the library does while it has a session with
the pool; a registrar tells of changes once a second at most. The shares are those of the sessions in percent; *load* is how
full the elements of each kind were on average in percent, and *fullest* how full any one of them ever was (the policies
do not refuse a session, so that it may be more than 100). To load all alike takes shares of 14 / 29 / 57 in the small
pool and 15 / 28 / 57 in the large one.
`
const textPool = `
%d elements:

| policy | registrar: shares | load | fullest | cache: shares | load | fullest |
|---|---|---|---|---|---|---|
`
const textEnd = `
## What to make of it

- Least Used does not know of the sessions that began since an element registered last: in a large pool whose users come
  quicker than that, they meet at the least loaded element. Least Used with Degradation counts them, and is the policy
  to take where loads matter; its degradation is what one session adds.
- A pool user that keeps answers hears of loads a second later, and counts only its own sessions: many users that open
  sessions within that second meet at the element that was told to all of them. In small pools that makes no
  difference, in large ones with quick users the weighted or the randomized policies keep the fullest element less full.
- Weighted Round Robin and Weighted Random load elements of different size alike without any word of loads.
- Of a pool that has more elements than an answer lists (128, or as many as are asked for), the registrar draws those
  that it lists by their weights; the pool user then takes each of them as often as the others (sections 4.2.3, 4.4.3 and
  5.4.3). Where it has the whole list, it goes by the weights itself.
`
