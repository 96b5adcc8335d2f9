package kernel

// Interleave has endpoints that are opened from now on ask for I-DATA, or not.
func Interleave(on bool) { interleaving = on }
