package rounds

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// Machine says where and when something was measured, in one line.
func Machine(took time.Duration) string {
	return fmt.Sprintf("on %s in %.0f s: %s, Linux %s, %d CPUs, %s, load average %s at the end",
		time.Now().UTC().Format("2 January 2006"), took.Seconds(), CPU(), Kernel(), runtime.NumCPU(), runtime.Version(), loadAverage())
}

// CPU is the name of the processor.
func CPU() string {
	for line := range strings.Lines(readFile("/proc/cpuinfo")) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// Kernel is the version of the kernel.
func Kernel() string { return strings.TrimSpace(readFile("/proc/sys/kernel/osrelease")) }

func loadAverage() string {
	first, _, _ := strings.Cut(readFile("/proc/loadavg"), " ")
	return first
}

func readFile(name string) string {
	b, err := os.ReadFile(name)
	if err != nil {
		return ""
	}
	return string(b)
}
