package socket

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/registrar"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// CompatRSPLIB is the value of Config.Compat for groups with RSPLIB.
const CompatRSPLIB = "rsplib"

func (c *Config) resolveCompat(env map[string]string) error {
	c.Compat = cmp.Or(c.Compat, env["RSERPOOL_COMPAT"])
	if c.Compat != "" && c.Compat != CompatRSPLIB {
		return fmt.Errorf("%w: compat %q; it is %s or empty (RSERPOOL_COMPAT)", ErrInvalid, c.Compat, CompatRSPLIB)
	}
	return nil
}

// machine is the configuration of a registrar's machine.
func (c *Config) machine(rfcTimers bool) registrar.Config {
	m := registrar.Shipped()
	if rfcTimers {
		m.Timers = registrar.Timers{}
	}
	if c.Compat == CompatRSPLIB {
		return m.RSPLIB()
	}
	return m
}

// outgoing is a control message as the peers read it. RSPLIB reads registration
// lives as milliseconds, and knows none without an end.
func (c *Config) outgoing(m asap.Message) asap.Message {
	r, ok := m.(asap.Registration)
	if !ok || c.Compat != CompatRSPLIB {
		return m
	}
	const longest = 1<<31 - 1
	if life := int64(r.Element.Life); life < 0 || life > longest/1000 {
		r.Element.Life = longest
	} else {
		r.Element.Life = protocol.Life(life * 1000)
	}
	return r
}

// incoming is the reverse for what registrars tell.
func (c *Config) incoming(m asap.Message) asap.Message {
	r, ok := m.(asap.HandleResolutionResponse)
	if !ok || c.Compat != CompatRSPLIB {
		return m
	}
	r.Elements = slices.Clone(r.Elements)
	for i := range r.Elements {
		r.Elements[i].Life = c.seconds(r.Elements[i].Life)
	}
	return r
}

func (c *Config) seconds(life protocol.Life) protocol.Life {
	if c.Compat != CompatRSPLIB {
		return life
	}
	return protocol.Life(uint32(life) / 1000)
}
