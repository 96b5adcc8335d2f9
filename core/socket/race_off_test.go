//go:build !race

package socket

const underRace = false
