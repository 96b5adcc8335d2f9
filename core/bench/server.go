package main

import (
	"errors"
	"fmt"
	"sync/atomic"
)

// runServer is the server process: server STACK. It says "ready PORT
// SCTP_PORT", then obeys:
//
//	echo    send back what arrives
//	sink    only count it
func runServer(args []string) error {
	if len(args) != 1 {
		return errors.New("server: want the name of a stack")
	}
	s, err := newStack(args[0])
	if err != nil {
		return err
	}
	var messages, bytes atomic.Int64
	var sink atomic.Bool
	port, sctpPort, err := s.listen(func(c conn, b []byte) {
		messages.Add(1)
		bytes.Add(int64(len(b)))
		if !sink.Load() {
			_ = c.send(b) // what a closed connection does not take is lost
		}
	})
	if err != nil {
		return err
	}
	fmt.Println("ready", port, sctpPort)
	return obey(func() (int64, int64) { return messages.Load(), bytes.Load() }, func(command string, _ []int) (string, error) {
		switch command {
		case "echo", "sink":
			sink.Store(command == "sink")
			return "", nil
		}
		return "", fmt.Errorf("unknown command %q", command)
	})
}
