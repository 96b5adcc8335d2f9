package loop

import (
	"bytes"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"github.com/librserpool/librserpool/core/internal/registrar"
)

// TestLines: what the machine has to say is written with all that it says, and nothing
// that it does not, at its level.
func TestLines(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	r := &Registrar{log: log, garbage: NewRateLimitedLog(log)}
	at := []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:7"), netip.MustParseAddrPort("[2001:db8::1]:7")}
	all := registrar.Log{
		Msg: "m", Handle: "echo", PE: 5, Server: 6, At: at, PEs: 3, Link: registrar.Link{Assoc: 9}, Peer: "peer.example:1", Err: errors.New("why"),
	}
	full := ` msg=m pool=echo pe=0x00000005 server=0x00000006 at="192.0.2.1:7 [2001:db8::1]:7" pes=3 assoc=9 peer=peer.example:1 err=why`
	for _, c := range []struct {
		level     registrar.Level
		name, end string
	}{
		{registrar.Info, "INFO", ""}, {registrar.Warn, "WARN", ""}, {registrar.Error, "ERROR", ""}, {registrar.Debug, "DEBUG", " skipped=0"},
	} {
		all.Level = c.level
		r.write(all)
		_, got, _ := strings.Cut(strings.TrimSpace(out.String()), "level=")
		if want := c.name + full + c.end; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		out.Reset()
	}
	r.write(registrar.Log{Level: registrar.Info, Msg: "bare"})
	if got := strings.TrimSpace(out.String()); !strings.HasSuffix(got, "msg=bare") {
		t.Errorf("got %s", got)
	}
	out.Reset()
	for range 2 { // anybody can provoke these
		r.write(registrar.Log{Level: registrar.Debug, Msg: "again"})
	}
	if out.Len() > 0 {
		t.Errorf("within a second of another one: %s", out.String())
	}
}
