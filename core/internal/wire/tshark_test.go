package wire_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
	"github.com/librserpool/librserpool/core/internal/wire/wiretest"
)

// frame is a message and what Wireshark, which has dissectors of its own, must
// read in it. Fields that are not named must not be there; several values of
// one field stand in the order of the message.
type frame struct {
	message []byte
	fields  map[string]string
}

// commonFields are Wireshark's names, behind "asap." or "enrp.".
var commonFields = []string{
	"message_type", "message_flags", "message_length", "parameter_type", "parameter_length",
	"pool_handle_pool_handle", "pe_identifier", "cookie", "pe_checksum",
	"pool_element_pe_identifier", "pool_element_home_enrp_server_identifier", "pool_element_registration_life",
	"sctp_transport_port", "transport_use", "tcp_transport_port", "udp_transport_port", "udp_lite_transport_port",
	"dccp_transport_port", "dccp_transport_service_code", "ipv4_address", "ipv6_address",
	"pool_member_selection_policy_type", "pool_member_selection_policy_weight", "pool_member_selection_policy_priority",
	"pool_member_selection_policy_load", "pool_member_selection_policy_degradation",
	"cause_code", "cause_length", "cause_info",
}

// dissect lets tshark read the frames and compares.
func dissect(t *testing.T, proto, ports string, extraFields []string, frames []frame) {
	for _, tool := range []string{"tshark", "text2pcap"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed: no independent reader checks our messages (apt-get install tshark)", tool)
		}
	}
	var dump strings.Builder
	for _, f := range frames {
		fmt.Fprintf(&dump, "000000 % x\n", f.message)
	}
	dir := t.TempDir()
	text, capture := filepath.Join(dir, "frames.hex"), filepath.Join(dir, "frames.pcap")
	if err := os.WriteFile(text, []byte(dump.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, "text2pcap", "-q", "-S", ports, text, capture)

	fields := append(append([]string{"_ws.malformed", "_ws.expert"}, commonFields...), extraFields...)
	args := []string{"-n", "-r", capture, "-T", "fields", "-E", "separator=|", "-E", "occurrence=a", "-E", "aggregator= "}
	for i, f := range fields {
		if i >= 2 {
			f = proto + "." + f
		}
		args = append(args, "-e", f)
	}
	lines := strings.Split(strings.TrimSuffix(run(t, "tshark", args...), "\n"), "\n")
	if len(lines) != len(frames) {
		t.Fatalf("tshark shows %d frames of %d", len(lines), len(frames))
	}
	for i, line := range lines {
		got := map[string]string{}
		for j, v := range strings.Split(line, "|") {
			if percent, err := strconv.ParseFloat(v, 64); err == nil && (strings.HasSuffix(fields[j], "_load") || strings.HasSuffix(fields[j], "_degradation")) {
				v = fmt.Sprintf("%.2f", percent)
			}
			if v != "" {
				got[fields[j]] = v
			}
		}
		want := map[string]string{"message_length": fmt.Sprint(int(frames[i].message[2])<<8 | int(frames[i].message[3]))}
		for k, v := range frames[i].fields {
			want[k] = v
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("frame %d, %x (-want +got):\n%s", i+1, frames[i].message, diff)
		}
	}
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, &stderr)
	}
	return string(out)
}

// expect reads "name = value" lines.
func expect(t *testing.T, lines string) map[string]string {
	t.Helper()
	fields := map[string]string{"message_flags": "0x00"}
	for line := range strings.Lines(lines) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		name, value, ok := strings.Cut(strings.TrimSpace(line), " = ")
		if !ok {
			t.Fatalf("%q is no expectation", line)
		}
		fields[name] = value
	}
	return fields
}

var (
	inPool = protocol.Element{
		ID: 0x01020304, Home: 0xaabbccdd, Life: 300,
		User: protocol.Transport{Protocol: protocol.SCTP, Port: 7777, Use: protocol.DataAndControl,
			Addrs: []netip.Addr{wiretest.V4, wiretest.V6}},
		Policy: protocol.Policy{Type: protocol.RoundRobin},
		ASAP:   registrar.Transport,
	}
	registrar = protocol.Server{ID: 0xaabbccdd, Transport: protocol.Transport{
		Protocol: protocol.SCTP, Port: 50000, Addrs: []netip.Addr{wiretest.V4}}}
)

// asInPool is what inPool looks like behind a handle "abc".
const asInPool = `
	pool_handle_pool_handle = 616263
	parameter_type = 0x0009 0x000a 0x0004 0x0001 0x0002 0x0008 0x0004 0x0001
	parameter_length = 7 76 36 8 20 8 16 8
	pool_element_pe_identifier = 0x01020304
	pool_element_home_enrp_server_identifier = 0xaabbccdd
	pool_element_registration_life = 300
	sctp_transport_port = 7777 50000
	transport_use = 1 0
	ipv4_address = 192.0.2.1 192.0.2.1
	ipv6_address = 2001:db8::1
	pool_member_selection_policy_type = 0x00000001`

// asCauses is what wiretest.Causes looks like, with the parameters and the
// message in it.
const asCauses = `
	cause_code = 0xf006 0x0000 0x0001 0x0002 0x0003 0x0004 0x0005 0x0006 0x0007 0x0008 0x0009 0x000a
	cause_length = 5 4 9 8 12 4 12 4 20 4 4 4
	cause_info = 01
	pool_member_selection_policy_type = 0x00000001 0x00000001
	tcp_transport_port = 80
	transport_use = 0
	ipv4_address = 192.0.2.1`

func TestTsharkReadsASAP(t *testing.T) {
	var frames []frame
	add := func(m asap.Message, lines string) {
		b, err := asap.Append(nil, m)
		if err != nil {
			t.Fatal(err)
		}
		frames = append(frames, frame{b, expect(t, fmt.Sprintf("message_type = %d\n", m.Type())+lines)})
	}
	add(asap.Registration{Handle: "abc", Element: inPool}, asInPool)
	addTransports(add)
	addPolicies(add)
	const abcde9 = `
		pool_handle_pool_handle = 6162636465
		parameter_type = 0x0009 0x000e
		parameter_length = 9 8
		pe_identifier = 0x00000009`
	add(asap.Deregistration{Handle: "abcde", ID: 9}, abcde9)
	add(asap.RegistrationResponse{Handle: "abcde", ID: 9}, abcde9+`
		r_bit = 0`)
	add(asap.RegistrationResponse{Rejected: true, Handle: "abcde", ID: 9, Causes: wiretest.Causes()}, asCauses+`
		message_type = 3 65
		message_flags = 0x01 0x00
		message_length = 124 4
		r_bit = 1
		pool_handle_pool_handle = 6162636465
		pe_identifier = 0x00000009
		parameter_type = 0x0009 0x000e 0x000c 0x4077 0x0008 0x0008 0x0005 0x0001
		parameter_length = 9 8 100 5 8 8 16 8`)
	add(asap.DeregistrationResponse{Handle: "abcde", ID: 9}, abcde9)
	add(asap.DeregistrationResponse{Handle: "abcde", ID: 9, Causes: []protocol.Cause{{Code: protocol.CauseRejectedForSecurity}}}, `
		pool_handle_pool_handle = 6162636465
		parameter_type = 0x0009 0x000e 0x000c
		parameter_length = 9 8 8
		pe_identifier = 0x00000009
		cause_code = 0x000a
		cause_length = 4`)
	add(asap.HandleResolution{Handle: "a"}, `
		pool_handle_pool_handle = 61
		parameter_type = 0x0009
		parameter_length = 5`)
	add(asap.HandleResolution{Subscribe: true, Handle: "ab", Items: asap.AllItems}, `
		message_flags = 0x01
		pool_handle_pool_handle = 6162
		parameter_type = 0x0009 0x803f
		parameter_length = 6 8
		hropt_items = 4294967295`)
	add(asap.HandleResolutionResponse{UpdatesAccepted: true, Handle: "abc", Elements: []protocol.Element{inPool}}, asInPool+`
		message_flags = 0x01`)
	add(asap.EndpointKeepAlive{Server: 0xaabbccdd, Handle: "abc"}, `
		server_identifier = 0xaabbccdd
		h_bit = 0
		pool_handle_pool_handle = 616263
		parameter_type = 0x0009
		parameter_length = 7`)
	add(asap.EndpointKeepAlive{NewHome: true, Server: 0xaabbccdd, Handle: "abcde", ID: 9}, abcde9+`
		message_flags = 0x01
		server_identifier = 0xaabbccdd
		h_bit = 1`)
	add(asap.EndpointKeepAliveAck{Handle: "abcde", ID: 9}, abcde9)
	add(asap.EndpointUnreachable{Handle: "abcde", ID: 9}, abcde9)
	add(asap.ServerAnnounce{Server: 0xaabbccdd}, `
		server_identifier = 0xaabbccdd`)
	add(asap.ServerAnnounce{Server: 0xaabbccdd, Transports: wiretest.Transports()[2:4]}, `
		server_identifier = 0xaabbccdd
		parameter_type = 0x0004 0x0001 0x0002 0x0005 0x0001
		parameter_length = 36 8 20 16 8
		sctp_transport_port = 7777
		tcp_transport_port = 80
		transport_use = 1 0
		ipv4_address = 192.0.2.1 192.0.2.1
		ipv6_address = 2001:db8::1`)
	const asCookie = `
		parameter_type = 0x000d
		parameter_length = 9
		cookie = 3132333435`
	add(asap.Cookie{Data: []byte("12345")}, asCookie)
	add(asap.CookieEcho{Data: []byte("12345")}, asCookie)
	add(asap.BusinessCard{Handle: "abc", Elements: []protocol.Element{inPool}}, asInPool)
	add(asap.Error{Causes: wiretest.Causes()}, asCauses+`
		message_type = 14 65
		message_flags = 0x00 0x00
		message_length = 104 4
		parameter_type = 0x000c 0x4077 0x0008 0x0008 0x0005 0x0001
		parameter_length = 100 5 8 8 16 8`)
	dissect(t, "asap", "40000,3863,11", []string{"server_identifier", "r_bit", "h_bit", "hropt_items"}, frames)
}

func addTransports(add func(asap.Message, string)) {
	for i, lines := range map[int]string{
		0: `parameter_type = 0x0009 0x000a 0x0003 0x0002 0x0008
			parameter_length = 5 56 32 20 8
			dccp_transport_port = 1
			dccp_transport_service_code = 1667785076
			ipv6_address = 2001:db8::1`,
		3: `parameter_type = 0x0009 0x000a 0x0005 0x0001 0x0008
			parameter_length = 5 40 16 8 8
			tcp_transport_port = 80
			transport_use = 0
			ipv4_address = 192.0.2.1`,
		4: `parameter_type = 0x0009 0x000a 0x0006 0x0001 0x0008
			parameter_length = 5 40 16 8 8
			udp_transport_port = 53
			ipv4_address = 192.0.2.1`,
		5: `parameter_type = 0x0009 0x000a 0x0007 0x0002 0x0008
			parameter_length = 5 52 28 20 8
			udp_lite_transport_port = 65535
			ipv6_address = 2001:db8::1`,
	} {
		e := protocol.Element{ID: 1, Life: protocol.LifeInfinite, User: wiretest.Transports()[i], Policy: inPool.Policy}
		add(asap.Registration{Handle: "a", Element: e}, lines+`
			pool_handle_pool_handle = 61
			pool_element_pe_identifier = 0x00000001
			pool_element_home_enrp_server_identifier = 0x00000000
			pool_element_registration_life = -1
			pool_member_selection_policy_type = 0x00000001`)
	}
}

// addPolicies adds a response for each policy of RFC 5356 and a private one.
func addPolicies(add func(asap.Message, string)) {
	const field = "pool_member_selection_policy_"
	for i, c := range []struct {
		code   string
		length int
		lines  string
	}{
		{"0x00000001", 8, ""},
		{"0x00000002", 12, field + "weight = 3"},
		{"0x00000003", 8, ""},
		{"0x00000004", 12, field + "weight = 4294967295"},
		{"0x00000005", 12, field + "priority = 7"},
		{"0x40000001", 12, field + "load = 50.00"},
		{"0x40000002", 16, field + "load = 25.00\n" + field + "degradation = 6.25"},
		{"0x40000003", 16, field + "load = 12.50\n" + field + "degradation = 50.00"},
		{"0x40000004", 12, field + "load = 100.00"},
		{"0x80000001", 8, ""},
	} {
		add(asap.HandleResolutionResponse{Handle: "a", HasPolicy: true, Policy: wiretest.Policies()[i]}, fmt.Sprintf(`
			pool_handle_pool_handle = 61
			parameter_type = 0x0009 0x0008
			parameter_length = 5 %d
			%stype = %s
			%s`, c.length, field, c.code, c.lines))
	}
}

func TestTsharkReadsENRP(t *testing.T) {
	var frames []frame
	add := func(m enrp.Message, lines string) {
		b, err := enrp.Append(nil, m)
		if err != nil {
			t.Fatal(err)
		}
		frames = append(frames, frame{b, expect(t, fmt.Sprintf(`
			message_type = %d
			sender_servers_id = 0xaabbccdd
			receiver_servers_id = 0x%08x
			%s`, m.Type(), uint32(m.IDs().Receiver), lines))})
	}
	toAll := enrp.Route{Sender: 0xaabbccdd}
	direct := enrp.Route{Sender: 0xaabbccdd, Receiver: 0x11223344}
	add(enrp.Presence{Route: toAll, HasChecksum: true, Checksum: 0x3797}, `
		r_bit = 0
		parameter_type = 0x000f
		parameter_length = 6
		pe_checksum = 0x3797`)
	add(enrp.Presence{Route: direct, ReplyRequired: true, HasChecksum: true, Checksum: 0xffff, HasServer: true, Server: registrar}, `
		message_flags = 0x01
		r_bit = 1
		parameter_type = 0x000f 0x000b 0x0004 0x0001
		parameter_length = 6 24 16 8
		pe_checksum = 0xffff
		server_information_server_identifier = 0xaabbccdd
		sctp_transport_port = 50000
		transport_use = 0
		ipv4_address = 192.0.2.1`)
	add(enrp.HandleTableRequest{Route: direct}, `
		w_bit = 0`)
	add(enrp.HandleTableRequest{Route: direct, OwnChildrenOnly: true}, `
		message_flags = 0x01
		w_bit = 1`)
	add(enrp.HandleTableResponse{Route: direct, Rejected: true}, `
		message_flags = 0x01
		r_bit = 1
		m_bit = 0`)
	add(enrp.HandleTableResponse{Route: direct, More: true, Entries: []enrp.PoolEntry{{Handle: "abc", Elements: []protocol.Element{inPool}}}}, asInPool+`
		message_flags = 0x02
		r_bit = 0
		m_bit = 1`)
	add(enrp.HandleUpdate{Route: toAll, Action: enrp.AddPE, Handle: "abc", Element: inPool}, asInPool+`
		t_bit = 0
		update_action = 0`)
	add(enrp.HandleUpdate{Route: toAll, Action: enrp.DelPE, Handle: "abc", Element: inPool}, asInPool+`
		t_bit = 0
		update_action = 1`)
	add(enrp.ListRequest{Route: direct}, ``)
	add(enrp.ListResponse{Route: direct, Rejected: true}, `
		message_flags = 0x01
		r_bit = 1`)
	add(enrp.ListResponse{Route: direct, Servers: []protocol.Server{registrar, registrar}}, `
		r_bit = 0
		parameter_type = 0x000b 0x0004 0x0001 0x000b 0x0004 0x0001
		parameter_length = 24 16 8 24 16 8
		server_information_server_identifier = 0xaabbccdd 0xaabbccdd
		sctp_transport_port = 50000 50000
		transport_use = 0 0
		ipv4_address = 192.0.2.1 192.0.2.1`)
	const target = "target_servers_id = 0x55667788"
	add(enrp.InitTakeover{Route: toAll, Target: 0x55667788}, target)
	add(enrp.InitTakeoverAck{Route: direct, Target: 0x55667788}, target)
	add(enrp.TakeoverServer{Route: toAll, Target: 0x55667788}, target)
	add(enrp.Error{Route: direct, Causes: wiretest.Causes()}, asCauses+`
		message_type = 10 65
		message_flags = 0x00 0x00
		message_length = 112 4
		parameter_type = 0x000c 0x4077 0x0008 0x0008 0x0005 0x0001
		parameter_length = 100 5 8 8 16 8`)
	dissect(t, "enrp", "9901,9901,12", []string{"sender_servers_id", "receiver_servers_id", "target_servers_id", "update_action",
		"server_information_server_identifier", "r_bit", "w_bit", "m_bit", "t_bit"}, frames)
}
