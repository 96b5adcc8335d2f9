package loop

import (
	"context"
	"log/slog"
	"time"
)

// RateLimitedLog logs at debug level what anybody on the network can provoke: at most
// one line per second, which says how many it stands for.
type RateLimitedLog struct {
	log     *slog.Logger
	next    time.Time
	skipped int
}

// NewRateLimitedLog returns a RateLimitedLog that writes to log.
func NewRateLimitedLog(log *slog.Logger) *RateLimitedLog { return &RateLimitedLog{log: log} }

// Log writes a line, or counts it for the next one.
func (r *RateLimitedLog) Log(msg string, args ...any) {
	if !r.log.Enabled(context.Background(), slog.LevelDebug) {
		return
	}
	now := time.Now()
	if now.Before(r.next) {
		r.skipped++
		return
	}
	r.next = now.Add(time.Second)
	r.log.Debug(msg, append(args, "skipped", r.skipped)...)
	r.skipped = 0
}
