package session

import (
	"bytes"
	"testing"
	"time"
)

// FuzzOpenCookie: whatever a pool user echoes, an element with a key accepts
// only what was made with it, for this pool.
func FuzzOpenCookie(f *testing.F) {
	key, now := bytes.Repeat([]byte{1}, 32), time.Unix(1e9, 0)
	salt := func(b []byte) { copy(b, "a salt of sixteen bytes") }
	e := cookieFrame{covered: 5, made: now, expires: now.Add(time.Hour), state: []byte("state")}
	good := e.seal(key, "pool", salt)
	f.Add(good)
	f.Add(e.seal(nil, "pool", salt))
	f.Add([]byte(frameMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		opened, err := openCookie(b, key, "pool", now)
		if (err == nil) != bytes.Equal(b, good) || err == nil && string(opened.state) != "state" {
			t.Errorf("%x: %v", b, err)
		}
		if _, err := openCookie(b, key, "loop", now); err == nil {
			t.Errorf("%x is accepted for another pool", b)
		}
		_, _ = openCookie(b, nil, "pool", now)
	})
}
