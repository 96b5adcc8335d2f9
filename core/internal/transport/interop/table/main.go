// Command table makes docs/interoperability.md from what the tests against
// other implementations of SCTP print with -v:
//
//	table USRSCTP-OUTPUT KERNEL-OUTPUT >docs/interoperability.md
package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
)

// rows are what is to be shown, and the tests that show it against usrsctp and
// against the Linux kernel; a subtest of any of them counts.
var rows = []struct{ what, usrsctp, kernel string }{
	{"set-up by either side", `TestUsrsctpEcho/`, both(`connect`)},
	{"set-up over IPv6", `TestUsrsctpEcho/::1`, both(`connect_over_IPv6`)},
	{"refused set-up", ``, both(`refused_by_endpoint`)},
	{"simultaneous open", `TestUsrsctpSimultaneousOpen$`, both(`simultaneous_open`)},
	{"1 B to 1 MiB and back, PPID, streams", `TestUsrsctpEcho/`, both(`echo_of_all_sizes`)},
	{"pipelined small messages", `TestUsrsctpPipelined/`, both(`pipelined`)},
	{"many streams", `TestUsrsctpPipelined/`, both(`many_streams`)},
	{"unordered messages", `TestUsrsctpEcho/`, both(`unordered`)},
	{"many associations", ``, both(`many_associations`)},
	{"window closed and reopened", `TestUsrsctpWindow/`, both(`window_closed_and_reopened`)},
	{"idle with heartbeats", `TestUsrsctpHeartbeats$`, ``},
	{"shutdown by us", `TestUsrsctpEnds/we_shut_down`, `TestEncapsulated/userland_to_kernel/shutdown_by_client`},
	{"shutdown by the other", `TestUsrsctpEnds/usrsctp_shuts_down`, `TestEncapsulated/userland_to_kernel/shutdown_by_server`},
	{"abort by us", `TestUsrsctpEnds/we_abort`, `TestEncapsulated/userland_to_kernel/abort_by_client`},
	{"abort by the other", `TestUsrsctpEnds/usrsctp_aborts`, `TestEncapsulated/userland_to_kernel/abort_by_server`},
	{"restart of the other", `TestUsrsctpRestart$`, ``},
	{"our restart", `TestUsrsctpRestartOfOurs$`, ``},
	{"the other dies or disappears", `TestUsrsctpDies$`, both(`peer_disappears`)},
	{"1 % loss, reordering", `TestUsrsctpLossy/relay_losing_1%`, both(`relay_losing_1%`)},
	{"5 % loss, reordering, copies", `TestUsrsctpLossy/relay_losing_5%`, ``},
	{"captures dissect in tshark, checksums good", `TestUsrsctpLossy/`, ``},
	{"addip_enable 0 and 1", ``, setting(`addip`)},
	{"auth_enable 0 and 1", ``, setting(`auth`)},
	{"reconf_enable 0 and 1", ``, setting(`reconf`)},
	{"ecn_enable 0 and 1", ``, setting(`ecn`)},
	{"prsctp_enable 0 and 1", ``, setting(`prsctp`)},
	{"intl_enable 0 and 1", ``, setting(`intl`)},
	{"several addresses on each side, path failure", ``, ``},
}

func both(scenario string) string {
	return `TestEncapsulated/(userland_to_kernel|kernel_to_userland)/` + scenario
}

func setting(name string) string { return `TestEncapsulatedSettings/` + name + `_enable=` }

var resultLine = regexp.MustCompile(`(?m)^\s*--- (PASS|FAIL|SKIP): (.*) \([0-9.]+s\)\r?$`)

// outcome sums up the tests whose names match.
func outcome(output, pattern string) string {
	if pattern == "" {
		return "not tested"
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
		"none. \"not run\" is a test that the machine could not do, \"not tested\" one that\n" +
		"does not exist.\n\n" +
		"| | usrsctp | Linux kernel |\n|---|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(&page, "| %s | %s | %s |\n", r.what, outcome(output[0], r.usrsctp), outcome(output[1], r.kernel))
	}
	fmt.Print(page.String())
}
