package endpoint

import (
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// failedPE is a PE that failed a moment ago. It is passed over although the
// registrar may still list it.
type failedPE struct {
	handle protocol.PoolHandle
	id     protocol.PEID
	at     time.Time
}

// A PE that failed is passed over for passOverFor; when there is no other, it
// is tried again after retryFailedAfter.
const (
	passOverFor      = 10 * time.Second
	retryFailedAfter = time.Second
	maxFailedPEs     = 256
)

func (u *user) failedIndex(h protocol.PoolHandle, id protocol.PEID) int {
	return slices.IndexFunc(u.failedPEs, func(d failedPE) bool { return d.handle == h && d.id == id })
}

// noteFailed notes a failure. It says whether that is news: several sessions
// may meet the same one, which is reported once (ASAP-3.5-04).
func (u *user) noteFailed(now time.Time, h protocol.PoolHandle, id protocol.PEID) bool {
	u.failedPEs = slices.DeleteFunc(u.failedPEs, func(d failedPE) bool { return now.Sub(d.at) >= passOverFor })
	if u.failedIndex(h, id) >= 0 {
		return false
	}
	if len(u.failedPEs) >= maxFailedPEs {
		u.failedPEs = slices.Delete(u.failedPEs, 0, 1)
	}
	u.failedPEs = append(u.failedPEs, failedPE{h, id, now})
	return true
}

// peFailed notes that the application could not reach a PE over its own
// transport (Transport.Failure, ASAP-6.9.2-01). The application has tried: that
// is the request to send without which nothing is reported (ASAP-3.5-05).
func (u *user) peFailed(now time.Time, h protocol.PoolHandle, id protocol.PEID) {
	u.passOver(now, h, id, true)
}

// passOver passes a PE over from now on. With report it is reported, too, if
// that is news.
func (u *user) passOver(now time.Time, h protocol.PoolHandle, id protocol.PEID, report bool) {
	u.cache.drop(h, id)
	if u.noteFailed(now, h, id) && report {
		u.reportUnreachable(now, h, id)
	}
}

func (u *user) forgetFailure(h protocol.PoolHandle, id protocol.PEID) {
	if i := u.failedIndex(h, id); i >= 0 {
		u.failedPEs = slices.Delete(u.failedPEs, i, i+1)
	}
}

func (u *user) failedSince(h protocol.PoolHandle, id protocol.PEID) (time.Time, bool) {
	i := u.failedIndex(h, id)
	if i < 0 {
		return time.Time{}, false
	}
	return u.failedPEs[i].at, true
}

func (u *user) failedLately(now time.Time, h protocol.PoolHandle, id protocol.PEID) bool {
	at, ok := u.failedSince(h, id)
	return ok && now.Sub(at) < passOverFor
}
