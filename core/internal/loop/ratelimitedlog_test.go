package loop_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/librserpool/librserpool/core/internal/loop"
)

// TestRateLimitedLog: one line a second, which says how many it stands for; nothing
// where nobody wants to know.
func TestRateLimitedLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		level := new(slog.LevelVar)
		level.Set(slog.LevelDebug)
		log := loop.NewRateLimitedLog(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: level})))
		said := func(want string) {
			t.Helper()
			_, got, _ := strings.Cut(strings.TrimSpace(out.String()), "level=")
			if got != want {
				t.Errorf("logged %q, want %q", got, want)
			}
			out.Reset()
		}
		log.Log("garbage", "from", 1)
		said("DEBUG msg=garbage from=1 skipped=0")
		for range 3 {
			log.Log("garbage", "from", 2)
		}
		time.Sleep(time.Second - 1)
		log.Log("garbage", "from", 2)
		said("")
		time.Sleep(time.Nanosecond)
		log.Log("garbage", "from", 3)
		said("DEBUG msg=garbage from=3 skipped=4")
		time.Sleep(time.Second)
		log.Log("garbage", "from", 4)
		said("DEBUG msg=garbage from=4 skipped=0")
		level.Set(slog.LevelInfo)
		time.Sleep(time.Second)
		log.Log("garbage")
		level.Set(slog.LevelDebug)
		log.Log("garbage", "from", 5)
		said("DEBUG msg=garbage from=5 skipped=0")
	})
}
