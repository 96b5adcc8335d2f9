package cluster

import (
	"fmt"
	"os"
)

// runRole is what this program does when a test starts it in another network
// namespace.
func runRole(role string) int {
	fmt.Fprintln(os.Stderr, "unknown role", role)
	return 1
}
