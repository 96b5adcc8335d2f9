package kernel

// contexts turns the 64 bits of SendInfo.Context into the 32 that the kernel
// keeps with a message, and back. Numbers below 2^31 go as they are, others
// by a number of ours.
type contexts struct {
	large []large // in the order of sending
	next  uint32
	limit int // the number of them at which it is worth asking what is pending
}

// minLimit keeps the question rare.
const minLimit = 4096

// full says that it is time to trim.
func (c *contexts) full() bool { return len(c.large) >= max(c.limit, minLimit) }

type large struct {
	key     uint32
	context uint64
}

const keyBit = 1 << 31

func (c *contexts) key(context uint64) uint32 {
	if context < keyBit {
		return uint32(context)
	}
	key := keyBit | c.next
	c.next = (c.next + 1) % keyBit
	c.large = append(c.large, large{key, context})
	return key
}

func (c *contexts) find(key uint32) uint64 {
	if key&keyBit == 0 {
		return uint64(key)
	}
	for _, l := range c.large {
		if l.key == key {
			return l.context
		}
	}
	return 0
}

// trim forgets all but the last pending ones: what the kernel has not let go
// of yet is at most that many messages.
func (c *contexts) trim(pending int) {
	if surplus := len(c.large) - pending; surplus > 0 {
		c.large = append(c.large[:0], c.large[surplus:]...)
	}
	c.limit = 2 * len(c.large)
}
