package wire

import "net/netip"

// parseAddress reads an address parameter (RFC 5354 section 3.1, 3.2;
// COM-3.1-01). IPv4 in IPv6 becomes IPv4, so that one host has one name.
func parseAddress(t TLV) (netip.Addr, error) {
	size := 4
	if t.Type == ParamIPv6Address {
		size = 16
	}
	v, err := t.fixed(size)
	if err != nil {
		return netip.Addr{}, err
	}
	a, _ := netip.AddrFromSlice(v)
	return a.Unmap(), nil
}

// parseAddresses reads the addresses that make up the rest of a transport.
func parseAddresses(b []byte, report *Report) ([]netip.Addr, error) {
	var addrs []netip.Addr
	err := Walk(b, report, func(t TLV) error {
		if t.Type != ParamIPv4Address && t.Type != ParamIPv6Address {
			return nil // what is known but not expected is ignored (COM-3-11)
		}
		a, err := parseAddress(t)
		if err == nil && len(addrs) == MaxAddresses {
			err = Invalidf("more than %d addresses", MaxAddresses)
		}
		addrs = append(addrs, a)
		return err
	})
	return addrs, err
}

// address writes one; there is no scope id on the wire.
func (w *Writer) address(a netip.Addr) {
	a = a.Unmap()
	t := ParamIPv6Address
	if a.Is4() {
		t = ParamIPv4Address
	}
	if !a.IsValid() {
		w.Failf("an address is not set")
		return
	}
	mark := w.open(t)
	w.bytes(a.AsSlice())
	w.close(mark)
}
