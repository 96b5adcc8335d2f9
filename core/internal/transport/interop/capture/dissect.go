package capture

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// ErrNoTshark says that there is no tshark to look at a capture.
var ErrNoTshark = errors.New("tshark is not installed (Debian package tshark)")

// Dissection is what tshark found in a sound capture.
type Dissection struct {
	Packets int
	Chunks  map[int]int // how many packets have chunks of a type
}

// Dissect has tshark decode a file as SCTP over UDP. The error is ErrNoTshark
// or names the first packet that is malformed or has a bad checksum. What the
// messages contain is not looked at.
func Dissect(name string) (d Dissection, err error) {
	args := []string{"-n", "-r", name, "-d", "udp.port==1-65535,sctp", "-o", "sctp.checksum:crc-32c", "-o", "sctp.reassembly:FALSE",
		"-T", "fields", "-e", "frame.number", "-e", "sctp.checksum.status", "-e", "_ws.malformed", "-e", "sctp.chunk_type"}
	others, err := otherProtocols()
	if err != nil {
		return d, err
	}
	for _, protocol := range others {
		args = append(args, "--disable-protocol", protocol)
	}
	var complaints bytes.Buffer
	tshark := exec.Command("tshark", args...)
	tshark.Stderr = &complaints
	out, err := tshark.Output()
	if err != nil {
		return d, fmt.Errorf("tshark: %w\n%s", err, complaints.Bytes())
	}
	d.Chunks = map[int]int{}
	const good = "1" // sctp.checksum.status
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); d.Packets++ {
		f := strings.Split(lines.Text(), "\t")
		if len(f) != 4 || f[1] != good || f[2] != "" || f[3] == "" {
			return d, fmt.Errorf("%s: packet is no sound SCTP over UDP; tshark says %q of its number, checksum, defects and chunks", name, f)
		}
		for kind := range strings.SplitSeq(f[3], ",") {
			n, err := strconv.Atoi(kind)
			if err != nil {
				return d, fmt.Errorf("%s: tshark says %q", name, lines.Text())
			}
			d.Chunks[n]++
		}
	}
	return d, nil
}

// otherProtocols are those that a capture of SCTP over UDP has nothing of. With
// them tshark would take messages for what their payload protocol identifiers
// or ports say.
var otherProtocols = sync.OnceValues(func() (names []string, err error) {
	if _, err := exec.LookPath("tshark"); err != nil {
		return nil, ErrNoTshark
	}
	out, err := exec.Command("tshark", "-G", "protocols").Output()
	if err != nil {
		return nil, fmt.Errorf("tshark -G protocols: %w", err)
	}
	needed := []string{"frame", "raw", "ip", "ipv6", "udp", "sctp", "data", "_ws.malformed"}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		// Name, short name, name in filters, and whether it can be disabled.
		if f := strings.Split(lines.Text(), "\t"); len(f) > 2 && !slices.Contains(needed, f[2]) {
			names = append(names, f[2])
		}
	}
	return names, nil
})
