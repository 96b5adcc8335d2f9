package sctp

// Params.Exclusive: of two ends that open at the same moment one remains the
// opener and the other gives way, and both agree who: the smaller tag does. They
// see each other's tags in the INITs, in whatever order and however often these
// come.
//
//   - In COOKIE-WAIT the end with the larger tag leaves the peer's INIT without an
//     answer; its own one is answered. (RFC 9260 section 5.2.1 wants an answer in
//     any case. A peer that is not exclusive answers our INIT, and no harm is done.)
//   - An end that is established by a cookie with a tag of the peer that it does not
//     know (case B) gives way: the peer has answered none of its INITs, or has begun
//     anew since it did.
//   - When both have echoed cookies the tags decide (case D, and COOKIE ACK).

// crossing takes note of an INIT that came in COOKIE-WAIT, and says whether to
// answer it.
func (a *association) crossing(peerTag uint32) bool {
	if a.params.Exclusive && a.tag > peerTag {
		return false
	}
	a.crossed = true
	return true
}

// decide says whose the association is, as it is about to be established by an
// end that echoed a cookie.
func (a *association) decide() {
	a.gaveWay = a.params.Exclusive && a.crossed && a.tag < a.peerTag
}
