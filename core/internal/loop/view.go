package loop

import (
	"context"
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"github.com/librserpool/librserpool/core/internal/registrar"
)

func now() time.Time { return time.Now() }

// Snapshot returns what the registrar knows.
func (r *Registrar) Snapshot() registrar.View {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.machine.Snapshot(now())
}

var levels = map[registrar.Level]slog.Level{
	registrar.Debug: slog.LevelDebug,
	registrar.Info:  slog.LevelInfo,
	registrar.Warn:  slog.LevelWarn,
	registrar.Error: slog.LevelError,
}

// places is a list of addresses that every handler writes alike.
func places(at []netip.AddrPort) string {
	texts := make([]string, len(at))
	for i, a := range at {
		texts[i] = a.String()
	}
	return strings.Join(texts, " ")
}

// write writes a line of the machine. At debug level anybody can provoke them.
func (r *Registrar) write(f registrar.Log) {
	var args []any
	add := func(key string, value any, there bool) {
		if there {
			args = append(args, key, value)
		}
	}
	add("pool", string(f.Handle), f.Handle != "")
	add("pe", f.PE, f.PE != 0)
	add("server", f.Server, f.Server != 0)
	add("at", places(f.At), len(f.At) > 0)
	add("pes", f.PEs, f.PEs != 0)
	add("assoc", f.Link.Assoc, f.Link.Assoc != 0)
	add("peer", f.Peer, f.Peer != "")
	add("err", f.Err, f.Err != nil)
	if f.Level == registrar.Debug {
		r.garbage.Log(f.Msg, args...)
		return
	}
	r.log.Log(context.Background(), levels[f.Level], f.Msg, args...)
}
