package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"sync"
)

// runRelay is the process that loses packets: relay PORT LOSS_PER_MILLE SEED
// forwards datagrams between clients and the server at PORT, each through a
// socket of its own on the server's side, and says "ready PORT 0".
func runRelay(args []string) error {
	if len(args) != 3 {
		return errors.New("relay: want a port, a loss in thousandths and a seed")
	}
	var numbers [3]int
	for i := range numbers {
		var err error
		if numbers[i], err = strconv.Atoi(args[i]); err != nil {
			return err
		}
	}
	front, err := udpSocket()
	if err != nil {
		return err
	}
	r := &relay{front: front, server: loopback(numbers[0]), loss: numbers[1], rng: rand.New(rand.NewPCG(uint64(numbers[2]), 1))}
	go r.runFront()
	fmt.Println("ready", portOf(front.LocalAddr()), 0)
	return obey(func() (int64, int64) { return 0, 0 }, func(string, []int) (string, error) { return "", nil })
}

type relay struct {
	front  *net.UDPConn
	server netip.AddrPort
	loss   int

	mu  sync.Mutex
	rng *rand.Rand
}

func (r *relay) loses() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rng.IntN(1000) < r.loss
}

func (r *relay) runFront() {
	backs := map[netip.AddrPort]*net.UDPConn{}
	buf := make([]byte, 1<<16)
	for {
		n, client, err := r.front.ReadFromUDPAddrPort(buf)
		if err != nil {
			continue
		}
		back := backs[client]
		if back == nil {
			if back, err = udpSocket(); err != nil {
				continue
			}
			backs[client] = back
			go r.runBack(back, client)
		}
		if !r.loses() {
			_, _ = back.WriteToUDPAddrPort(buf[:n], r.server)
		}
	}
}

func (r *relay) runBack(back *net.UDPConn, client netip.AddrPort) {
	buf := make([]byte, 1<<16)
	for {
		n, _, err := back.ReadFromUDPAddrPort(buf)
		if err == nil && !r.loses() {
			_, _ = r.front.WriteToUDPAddrPort(buf[:n], client)
		}
	}
}
