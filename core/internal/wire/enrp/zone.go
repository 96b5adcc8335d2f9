package enrp

// In puts the link-local addresses in a message that came over one link, by the
// interface zone, on that link (RFC 4007 section 6), as far as registrars connect
// to them: on the wire they have no zone. The message is changed in place.
func In(m Message, zone string) Message {
	switch m := m.(type) {
	case Presence:
		m.Server.Transport.Enter(zone)
	case ListResponse:
		for _, s := range m.Servers {
			s.Transport.Enter(zone)
		}
	case HandleUpdate:
		m.Element.ASAP.Enter(zone)
	case HandleTableResponse:
		for _, p := range m.Entries {
			for _, e := range p.Elements {
				e.ASAP.Enter(zone)
			}
		}
	}
	return m
}
