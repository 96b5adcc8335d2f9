// Command table makes docs/reports/interoperability.md from what the tests against
// other implementations of SCTP print with -v:
//
//	table USRSCTP-OUTPUT KERNEL-OUTPUT >docs/reports/interoperability.md
package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
)

// rows are what is to be shown, and the tests that show it against usrsctp and
// against the Linux kernel; a subtest of any of them counts. Where there can be
// none stands why.
var rows = []struct{ what, usrsctp, kernel string }{
	{"set-up by either side", `TestUsrsctpEcho/`, both(`connect`)},
	{"set-up over IPv6", `TestUsrsctpEcho/::1`, both(`connect_over_IPv6`)},
	{"refused set-up", `TestUsrsctpRefused/`, both(`refused_by_endpoint`)},
	{"simultaneous open", `TestUsrsctpSimultaneousOpen$`, both(`simultaneous_open`)},
	{"1 B to 1 MiB and back, PPID, streams", `TestUsrsctpEcho/`, both(`echo_of_all_sizes`)},
	{"every size around one and two packets", `TestUsrsctpEdges/`, both(`echo_at_the_edges_of_packets`)},
	{"pipelined small messages", `TestUsrsctpPipelined/`, both(`pipelined`)},
	{"20,000 messages in order", `TestUsrsctpPipelined/`, long(`twenty_thousand_in_order`)},
	{"many streams", `TestUsrsctpPipelined/`, both(`many_streams`)},
	{"unordered messages", `TestUsrsctpEcho/`, both(`unordered`)},
	{"many associations", `TestUsrsctpManyAssociations$`, both(`many_associations`)},
	{"window closed for 20 s and reopened", `TestUsrsctpWindow/`, long(`window_closed_and_reopened`)},
	{"idle for two minutes, heartbeats of both sides every 200 ms", `TestUsrsctpHeartbeats/`, long(`idle_with_heartbeats`)},
	{"shutdown by us", `TestUsrsctpEnds/we_shut_down`, `TestEncapsulated/userland_to_kernel/shutdown_by_client`},
	{"shutdown by the other", `TestUsrsctpEnds/usrsctp_shuts_down`, `TestEncapsulated/userland_to_kernel/shutdown_by_server`},
	{"abort by us", `TestUsrsctpEnds/we_abort`, `TestEncapsulated/userland_to_kernel/abort_by_client`},
	{"abort by the other", `TestUsrsctpEnds/usrsctp_aborts`, `TestEncapsulated/userland_to_kernel/abort_by_server`},
	{"restart of the other", `TestUsrsctpRestart$`, `TestEncapsulated/(userland_to_kernel/server|kernel_to_userland/client)_restarts_in_silence`},
	{"our restart", `TestUsrsctpRestartOfOurs$`, `TestEncapsulated/(userland_to_kernel/client|kernel_to_userland/server)_restarts_in_silence`},
	{"the other dies, stops or disappears", `TestUsrsctpDies/`, both(`peer_disappears`)},
	{"1 % loss, reordering", `TestUsrsctpLossy/relay_losing_1%`, both(`relay_losing_1%`)},
	{"5 % loss, reordering, copies", `TestUsrsctpLossy/relay_losing_5%`, both(`relay_losing_5%`)},
	{"the same by netem, between network namespaces", `TestUsrsctpNetwork/`, `TestEncapsulatedNetwork/`},
	{"captures dissect in tshark, checksums good", `TestUsrsctpLossy/`, `TestKernelCaptures/`},
	{"packets of up to 64 KiB (loopback's MTU)", `TestUsrsctpEcho/`, `TestEncapsulatedLargePackets/`},
	{"addip (asconf) off and on", setting(`asconf`), sysctl(`addip`)},
	{"auth off and on", setting(`auth`), sysctl(`auth`)},
	{"reconf off and on", setting(`reconfig`), sysctl(`reconf`)},
	{"ecn off and on", setting(`ecn`), sysctl(`ecn`)},
	{"prsctp off and on", setting(`pr`), sysctl(`prsctp`)},
	{"intl (I-DATA) off and on", "n/a: Debian's usrsctp has no switch for it", sysctl(`intl`)},
	{"nrsack, pktdrop off and on", setting(`(nrsack|pktdrop)`), "n/a: the kernel has neither"},
	{"all of these off, all on", setting(`all`), `TestEncapsulatedSettings/all=`},
	{"two addresses on each side, paths cut and restored", `TestUsrsctpMultihoming/`, `TestEncapsulatedMultihoming/.*/paths_fail_and_return`},
	{"four addresses on each side, IPv4 and IPv6", `TestUsrsctpFourAddresses/`, `TestEncapsulatedMultihoming/.*/four_addresses`},
}

func both(scenario string) string {
	return `TestEncapsulated/(userland_to_kernel|kernel_to_userland)/` + scenario
}

func long(scenario string) string {
	return `TestEncapsulatedLong/(userland_to_kernel|kernel_to_userland)/` + scenario
}

func sysctl(name string) string { return `TestEncapsulatedSettings/` + name + `_enable=` }

func setting(name string) string { return `TestUsrsctpSettings/` + name + `=` }

var resultLine = regexp.MustCompile(`(?m)^\s*--- (PASS|FAIL|SKIP): (.*) \([0-9.]+s\)\r?$`)

// outcome sums up the tests whose names match.
func outcome(output, pattern string) string {
	if strings.HasPrefix(pattern, "n/a") {
		return pattern
	}
	name, count := regexp.MustCompile(`^`+pattern), map[string]int{}
	for _, m := range resultLine.FindAllStringSubmatch(output, -1) {
		if name.MatchString(m[2]) {
			count[m[1]]++
		}
	}
	switch {
	case count["FAIL"] > 0:
		return "**fails**"
	case count["PASS"] > 0:
		return "passes"
	}
	return "not run"
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: table USRSCTP-OUTPUT KERNEL-OUTPUT")
		os.Exit(2)
	}
	var output [2]string
	for i, name := range os.Args[1:] {
		b, err := os.ReadFile(name)
		if err != nil {
			fmt.Fprintln(os.Stderr, "table:", err)
			os.Exit(1)
		}
		output[i] = string(b)
	}
	var page strings.Builder
	page.WriteString("# Interoperability\n\n" +
		"Userland SCTP over UDP (RFC 6951) against other implementations, in both\n" +
		"directions. `make interop` runs the tests and writes this page: usrsctp runs\n" +
		"natively, the kernel's SCTP in a virtual machine where the running kernel has\n" +
		"none. \"not run\" is a test that the machine could not do.\n\n" +
		"| | usrsctp | Linux kernel |\n|---|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(&page, "| %s | %s | %s |\n", r.what, outcome(output[0]+output[1], r.usrsctp), outcome(output[1], r.kernel))
	}
	fmt.Print(page.String())
}
