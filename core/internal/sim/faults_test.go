package sim

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var (
	faults = flag.Bool("faults", false, "put faults into the code, one after the other, and see that the worlds find them")
	search = flag.Bool("search", false, "with -faults: try all of the first 200 seeds, and say which one finds a fault")
)

// fault is a mistake that somebody could make in a machine, and the world that finds
// it.
type fault struct {
	name     string
	file     string // below core/internal
	was, now string // what stands there, and the mistake
	world    string // test
	seed     int    // of the world that finds it
}

var faultList = []fault{
	{
		"no update to peers on expiry", "registrar/elements.go",
		"	if el.Home == es.id {\n		es.peers.announce(enrp.DelPE, el)\n	}\n	es.drop(now, el)", "	_ = enrp.DelPE\n	es.drop(now, el)",
		"TestShipped", 4,
	},
	{
		"a takeover acknowledgement believed from anyone", "registrar/takeovers.go",
		"	if i < 0 {\n		return\n	}", "	if i = max(i, 0); len(t.waiting) == 0 {\n		return\n	}",
		"TestWorld", 1,
	},
	{
		"a part of a table that loses one PE", "registrar/sessions.go",
		"		if room -= size; room < 0 && last >= 0 {\n", "		if room -= size; room < 0 && last >= 0 {\n			s.cursor = el.Cursor()\n",
		"TestWorld", 2,
	},
	{
		"a takeover retransmission timer that never fires", "registrar/takeovers.go",
		"	ts.timers.Set(&t.timer, now.Add(3*ts.cfg.Timers.NoResponse))\n", "",
		"TestWorld", 1,
	},
	{
		"a message counted as covered before its cookie", "session/cookie.go",
		"		ss.counted = e.covered\n		t.cover(ss, e.covered)", "		ss.counted = e.covered\n		t.cover(ss, e.covered+1)",
		"TestSessions", 2,
	},
	{
		"a replay that starts one too late", "session/replay.go",
		"		ss.toSend.prepend(&ss.kept)", "		if ss.kept.len() > 1 {\n			ss.kept.pop()\n		}\n		ss.toSend.prepend(&ss.kept)",
		"TestSessions", 2,
	},
	{
		"a drain that forgets what is queued", "session/drain.go",
		"	if ss.inbox.len() > 0 || ss.Over() {", "	if ss.Over() {",
		"TestSessions", 6,
	},
	{
		"a session that forgets what came back", "session/replay.go",
		"		ss.toSend.prepend(&ss.returned)", "		ss.returned.clear()",
		"TestSessions", 1,
	},
	{
		"a gate that lets older messages through", "session/send.go",
		"ss.phase == established && ss.gate == gateOpen && ss.toSend.len() > 0", "ss.phase == established && ss.toSend.len() > 0",
		"TestSessions", 1,
	},
	{
		"a gate that is opened for an element which is lost by now", "session/gate.go",
		"	if ss.gate == gateForRepair {\n		ss.openGate()", "	if ss.gate != gateOpen {\n		ss.openGate()",
		"TestSessions", 2247,
	},
	{
		"what is returned goes behind what waits", "session/fifo.go",
		"	items := append(older.items[older.head:len(older.items):len(older.items)], q.items[q.head:]...)", "	items := append(q.items[q.head:len(q.items):len(q.items)], older.items[older.head:]...)",
		"TestSessions", 12,
	},
	{
		"a cookie that is echoed behind the messages", "session/failover.go",
		"	t.cfg.Post(endpoint.SessionUp{Session: ss.id, Assoc: ss.assoc}) // the cookie echo goes first\n", "	t.flush(ss)\n	t.cfg.Post(endpoint.SessionUp{Session: ss.id, Assoc: ss.assoc})\n",
		"TestSessions", 1,
	},
	{
		"a window that is never given back", "session/window.go",
		"	t.port.Return(id, a.owed.bytes, a.owed.messages)\n", "",
		"TestSessions", 3,
	},
	{
		"a window of which too much is kept where memory is short", "session/window.go",
		"min(a.session.opts.ReceiveBuffer/giveBackAt, giveBackMost)", "min(a.session.opts.ReceiveBuffer/giveBackAt, 4*giveBackMost)",
		"TestSessions", 24,
	},
	{
		"options that a session cannot change while its association ends", "session/stats.go",
		" && !errors.Is(err, assoc.ErrNotConnected) {", " || errors.Is(err, assoc.ErrNotConnected) {",
		"TestSessions", 551,
	},
}

// TestWorldsFindFaults compiles the worlds with one mistake after the other in the
// code, and expects the seed that finds it to fail. It takes a minute, so it is asked
// for: make sim-faults.
func TestWorldsFindFaults(t *testing.T) {
	if !*faults {
		t.Skip("takes a minute: make sim-faults")
	}
	for _, f := range faultList {
		t.Run(strings.ReplaceAll(f.name, " ", "-"), func(t *testing.T) { f.check(t) })
	}
}

// TestFaultsAreUpToDate: whoever moves the code that a fault changes hears of it at once.
func TestFaultsAreUpToDate(t *testing.T) {
	for _, f := range faultList {
		f.overlay(t)
	}
}

func (f *fault) check(t *testing.T) {
	args := []string{"-seed", fmt.Sprint(f.seed)}
	if *search {
		args = []string{"-seeds", "200", "-stop", "1"}
	}
	out, err := f.play(t, args)
	switch {
	case err == nil:
		t.Errorf("the world of %s %v finds nothing wrong", f.world, args)
	case !strings.Contains(out, "replay: "):
		t.Errorf("no world failed: %v\n%.2000s", err, out)
	default:
		t.Logf("%.1000s", out)
	}
}

// play runs a test with the mistake in the code.
func (f *fault) play(t *testing.T, args []string) (out string, err error) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	args = append([]string{"test", "-overlay", f.overlay(t), "-run", "^" + f.world + "$", "-timeout", "9m", ".", "-args"}, args...)
	b, err := exec.CommandContext(ctx, "go", args...).CombinedOutput()
	return string(b), err
}

// overlay writes the file with the mistake, and what tells the compiler to take it.
func (f *fault) overlay(t *testing.T) string {
	path, err := filepath.Abs(filepath.Join("..", f.file))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), f.was); n != 1 {
		t.Fatalf("%s has %d times %q: bring the fault up to date", f.file, n, f.was)
	}
	dir := t.TempDir()
	changed, list := filepath.Join(dir, filepath.Base(path)), filepath.Join(dir, "overlay.json")
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{path: changed}})
	if err == nil {
		err = os.WriteFile(changed, []byte(strings.Replace(string(text), f.was, f.now, 1)), 0o600)
	}
	if err == nil {
		err = os.WriteFile(list, overlay, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return list
}
