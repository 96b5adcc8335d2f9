package enrp

import (
	"testing"

	"github.com/librserpool/librserpool/core/internal/wire/wiretest"
)

// FuzzENRPParse: see codectest.Codec.CheckAny.
func FuzzENRPParse(f *testing.F) {
	codec.Seed(f, samples(), golden())
	f.Add(wiretest.Hex(f, "07000014 aabbccdd 00000000 55667788 c0770004"))
	f.Add(wiretest.Hex(f, "4100000c aabbccdd 00000000"))
	f.Fuzz(codec.CheckAny)
}
