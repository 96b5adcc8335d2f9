package asap

import (
	"testing"

	"github.com/librserpool/librserpool/core/internal/wire/wiretest"
)

// FuzzASAPParse: see codectest.Codec.CheckAny.
func FuzzASAPParse(f *testing.F) {
	codec.Seed(f, samples(), golden())
	f.Add(wiretest.Hex(f, "05000014 00090007 61626300 c0770005 99000000"))
	f.Add(wiretest.Hex(f, "41000004"))
	f.Fuzz(codec.CheckAny)
}
