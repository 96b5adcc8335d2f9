package transporttest

import "github.com/librserpool/librserpool/core/internal/assoc"

// longScenarios run only where RunSome names them.
var longScenarios = []scenario{
	{"twenty thousand in order", twentyThousand, false},
}

// Many small messages keep their order (SCTP-7-41).
func twentyThousand(w *world) {
	messages := make([]message, 20_000)
	for i := range messages {
		messages[i] = message{stream: 1, ppid: uint32(i), data: pattern(1+i%60, i)}
	}
	w.same(w.echoAll(assoc.Params{}, messages, true), messages, "came back")
}
