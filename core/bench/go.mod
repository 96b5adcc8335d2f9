module github.com/librserpool/librserpool/core/bench

go 1.26.0

require (
	github.com/librserpool/librserpool v0.0.0
	github.com/pion/logging v0.2.4
	github.com/pion/sctp v1.11.3
	github.com/pion/transport/v5 v5.0.1
	golang.org/x/sys v0.49.0
)

require (
	github.com/ishidawataru/sctp v0.0.0-20251114114122-19ddcbc6aae2 // indirect
	github.com/pion/randutil v0.1.0 // indirect
	golang.org/x/net v0.34.0 // indirect
)

replace github.com/librserpool/librserpool => ../..
