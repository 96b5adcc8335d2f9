package proc

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// FreePort returns a UDP port of loopback that was free a moment ago. It lies
// below those that the system gives to whoever asks for none in particular:
// sockets of other tests do not come by it.
func FreePort() (string, error) {
	const first, last, attempts = 10000, 32000, 100
	var err error
	for range attempts {
		var c net.PacketConn
		port := strconv.Itoa(first + rand.IntN(last-first))
		if c, err = net.ListenPacket("udp", net.JoinHostPort("127.0.0.1", port)); err == nil {
			return port, c.Close()
		}
	}
	return "", fmt.Errorf("find a free port: %w", err)
}
