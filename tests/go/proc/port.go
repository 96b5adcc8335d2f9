package proc

import (
	"fmt"
	"net"
	"strconv"
)

// FreePort returns a UDP port of loopback that was free a moment ago.
func FreePort() (string, error) {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	defer c.Close()
	return strconv.Itoa(c.LocalAddr().(*net.UDPAddr).Port), nil
}
