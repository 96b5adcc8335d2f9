//go:build !race

package userland

const underRace = false
