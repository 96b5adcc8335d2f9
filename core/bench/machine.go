package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/librserpool/librserpool/tests/go/rounds"
)

// machine is what this program measured of itself in a virtual machine whose
// kernel has SCTP. Such a machine may be emulated: its values say something in
// comparison with each other only.
type machine struct {
	Kernel  string
	CPU     string
	Stacks  []string
	Results rounds.Results

	missing string // why there are none
}

// machineStacks are compared there.
const machineStacks = "udp,tcp,ours,kernel"

// valuesMark begins the line that has the values; others are of the machine.
const valuesMark = "values: "

// tell writes the values that visit reads.
func (b *bench) tell(w io.Writer) error {
	line, err := json.Marshal(machine{Kernel: rounds.Kernel(), CPU: rounds.CPU(), Stacks: b.stacks, Results: b.results})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s%s\n", valuesMark, line)
	return err
}

// visit runs this program by way of another one that has a kernel with SCTP.
func (b *bench) visit(vm string) {
	begin := time.Now()
	command := exec.Command(vm, "-t", "900", b.self, "-values", fmt.Sprint("-quick=", b.quick), "-stacks", machineStacks)
	command.Stderr = os.Stderr
	out, err := command.Output()
	b.machine = readMachine(out)
	if err != nil {
		b.machine.missing = fmt.Sprintf("%s: %v", vm, err)
	}
	if b.machine.missing != "" {
		fmt.Fprintf(os.Stderr, "the kernel's SCTP is left out, %s\n%s", b.machine.missing, out)
	}
	fmt.Fprintf(os.Stderr, "%-20s %5.1f s\n", "virtual machine", time.Since(begin).Seconds())
}

func readMachine(out []byte) *machine {
	m := &machine{}
	in := bufio.NewScanner(bytes.NewReader(out))
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		if line, ok := strings.CutPrefix(in.Text(), valuesMark); ok {
			if err := json.Unmarshal([]byte(line), m); err != nil {
				m.missing = "its values cannot be read: " + err.Error()
			}
			return m
		}
	}
	m.missing = "it told no values"
	return m
}
