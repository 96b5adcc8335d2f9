package cluster

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/librserpool/librserpool/core/rserpool"
)

// What this program does when a test starts it in another network namespace,
// by CLUSTER_ROLE:
//
//	elements N POOL REGISTRAR,...   N elements; prints a line for each: POOL/PE
//	users N POOL REGISTRAR,...      N users that resolve until standard input ends;
//	                                prints every failure, at the end how many times
//	serve POOL REGISTRAR LOCAL ADVERTISE
//	                                one element; "-" for what is not given
//	exchange POOL REGISTRAR         a user: prints "answered at" for each element
//	known REGISTRAR                 what a registrar knows: POOL/PE HOME
//	moved REGISTRAR HOME            waits until it knows nothing of that home any more
//
// Everything lasts until standard input ends.
func runRole(role string) int {
	f := strings.Fields(role)
	switch f[0] {
	case "elements":
		return roleElements(atoi(f[1]), f[2], strings.Split(f[3], ","))
	case "users":
		return roleUsers(atoi(f[1]), f[2], strings.Split(f[3], ","))
	case "serve":
		return roleServe(f[1], f[2], f[3], f[4])
	case "exchange":
		return roleExchange(f[1], f[2])
	case "known":
		return roleKnown(f[1])
	case "moved":
		return roleMoved(f[1], f[2])
	}
	fmt.Fprintln(os.Stderr, "unknown role", role)
	return 1
}

func atoi(s string) (n int) {
	fmt.Sscan(s, &n)
	return n
}

func waitForEnd() {
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
	}
}

func roleElements(n int, pool string, registrars []string) int {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for range n {
		l, err := rserpool.Listen(ctx, pool, options(registrars...))
		if err != nil {
			fmt.Println("element failed:", err)
			return 1
		}
		defer l.Close()
		go serve(l)
		fmt.Printf("element %s/%v\n", pool, l.Name().PE)
	}
	fmt.Println("ready")
	waitForEnd()
	return 0
}

func roleUsers(n int, pool string, registrars []string) int {
	stop, counts := make(chan struct{}), make(chan int)
	for range n {
		go func() {
			count := 0
			for {
				select {
				case <-stop:
					counts <- count
					return
				case <-time.After(100 * time.Millisecond):
				}
				ctx, cancel := context.WithTimeout(context.Background(), patience)
				if _, err := rserpool.Resolve(ctx, pool, options(registrars...)); err != nil {
					fmt.Println("resolution failed:", err)
				}
				cancel()
				count++
			}
		}()
	}
	fmt.Println("ready")
	waitForEnd()
	close(stop)
	all := 0
	for range n {
		all += <-counts
	}
	fmt.Println("resolutions:", all)
	return 0
}

func roleKnown(at string) int {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	table, err := known(ctx, &registrar{asap: at})
	if err != nil {
		fmt.Println("failed:", err)
		return 1
	}
	for key, home := range table {
		fmt.Println("known", key, home)
	}
	return 0
}
