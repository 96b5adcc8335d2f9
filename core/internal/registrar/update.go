package registrar

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// announce tells all peers that a PE came, changed or goes (ENRP-3.3.1-01,
// ENRP-3.3.2-01).
func (r *Registrar) announce(now time.Time, action enrp.Action, el *element) {
}
