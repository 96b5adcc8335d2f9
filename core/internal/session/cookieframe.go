package session

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// cookieFrame is what a cookie of this library may carry around the program's
// state. The pool user's library reads its head; with a pool key an element
// believes all of it, and only then.
//
// On the wire, in network byte order: a magic number (4), flags (1), zeros (3),
// how many messages of the session are covered (8), when it was made and when
// it expires in milliseconds since 1970 (8 each); then the state, or, sealed, a
// salt (16) and the state encrypted with AES-256-GCM. The key of that is drawn
// from the pool key and the salt, so that no nonce can repeat; the head and the
// pool handle are authenticated with it.
type cookieFrame struct {
	flags         uint8
	covered       uint64
	made, expires time.Time
	state         []byte
}

const (
	frameSealed = 1 << iota
	frameEmpty  // it carries no state, only what its head says
	frameMove   // the element asks the pool user to move on (Drain)
	frameLeft   // the element left its pool and goes on with the session
)

const (
	frameMagic = "\x00RC\x01"
	frameHead  = 32
	frameSalt  = 16
	// clockSkew is how far the clocks of a pool's hosts may be apart.
	clockSkew = 5 * time.Minute
)

// Why a cookie is rejected.
var (
	ErrCookieForged  = errors.New("it is not what an element of the pool with this pool key made; look for other keys in the pool, or for an attacker")
	ErrCookieExpired = errors.New("it has expired; compare the clocks of the elements, and CookieLife")
	ErrCookieSealed  = errors.New("it is encrypted; give this element the pool key as well")
	ErrCookieFormat  = errors.New("it is damaged")
)

// seal returns the bytes of a cookie. random draws the salt, with a key.
func (e *cookieFrame) seal(key []byte, pool string, random func([]byte)) []byte {
	out := append(make([]byte, 0, frameHead+frameSalt+len(e.state)+16), frameMagic...)
	flags := e.flags &^ frameSealed
	if len(key) > 0 {
		flags |= frameSealed
	}
	out = append(out, flags, 0, 0, 0)
	out = binary.BigEndian.AppendUint64(out, e.covered)
	out = binary.BigEndian.AppendUint64(out, uint64(e.made.UnixMilli()))
	out = binary.BigEndian.AppendUint64(out, uint64(e.expires.UnixMilli()))
	if len(key) == 0 {
		return append(out, e.state...)
	}
	head := bytes.Clone(out)
	var salt [frameSalt]byte
	random(salt[:])
	out = append(out, salt[:]...)
	aead := cookieCipher(key, salt[:])
	return aead.Seal(out, make([]byte, aead.NonceSize()), e.state, append(head, pool...))
}

func cookieCipher(key, salt []byte) cipher.AEAD {
	derived, err := hkdf.Key(sha256.New, key, salt, "rserpool cookie", 32)
	if err != nil {
		panic(err) // only for lengths that are too large
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		panic(err) // only for keys of another length
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // only for other block sizes
	}
	return aead
}

// readCookieFrame reads the head of a cookie; the state is what follows it, sealed
// or not. ok is false for the cookies of others.
func readCookieFrame(b []byte) (e cookieFrame, ok bool) {
	if len(b) < frameHead || string(b[:4]) != frameMagic {
		return e, false
	}
	e.flags = b[4]
	e.covered = binary.BigEndian.Uint64(b[8:])
	e.made = time.UnixMilli(int64(binary.BigEndian.Uint64(b[16:])))
	e.expires = time.UnixMilli(int64(binary.BigEndian.Uint64(b[24:])))
	e.state = b[frameHead:]
	return e, true
}

// CarriesState says whether a cookie holds what a program has left; there are others,
// which only say something to the pool user's library.
func CarriesState(cookie []byte) bool {
	e, ok := readCookieFrame(cookie)
	return !ok || e.flags&frameEmpty == 0
}

// openCookie returns what an element may believe of a cookie that was echoed.
// With a key that is only what was sealed with it.
func openCookie(b, key []byte, pool string, now time.Time) (cookieFrame, error) {
	e, ok := readCookieFrame(b)
	switch {
	case !ok && len(key) > 0:
		return cookieFrame{}, ErrCookieForged
	case !ok:
		return cookieFrame{state: bytes.Clone(b)}, nil
	case e.flags&frameSealed == 0 && len(key) > 0:
		return cookieFrame{}, ErrCookieForged
	case e.flags&frameSealed == 0:
		e.state = bytes.Clone(e.state)
		return e, nil
	case len(key) == 0:
		return cookieFrame{}, ErrCookieSealed
	case len(e.state) < frameSalt:
		return cookieFrame{}, ErrCookieFormat
	}
	aead := cookieCipher(key, e.state[:frameSalt])
	head := append(bytes.Clone(b[:frameHead]), pool...)
	state, err := aead.Open(nil, make([]byte, aead.NonceSize()), e.state[frameSalt:], head)
	if err != nil {
		return cookieFrame{}, ErrCookieForged
	}
	if now.After(e.expires) || e.made.After(now.Add(clockSkew)) {
		return cookieFrame{}, fmt.Errorf("made %v, expires %v: %w", e.made, e.expires, ErrCookieExpired)
	}
	e.state = state
	return e, nil
}
