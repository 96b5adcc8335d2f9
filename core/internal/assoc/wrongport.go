package assoc

import (
	"errors"
	"strings"
)

// ErrWrongPort is in the chain of the error of an association that the peer ended
// because this side speaks another protocol than it does.
var ErrWrongPort = errors.New("the peer speaks another protocol at this port")

// wrongPort begins the reason of such an abort.
const wrongPort = "wrong port: "

// WrongPort is the reason of an abort that tells the peer of its mistake.
func WrongPort(why string) string { return wrongPort + why }

// Explained returns the error of an association that the peer has aborted with a
// reason, which is an ErrWrongPort as well if the reason is that.
func Explained(err error, reason string) error {
	if strings.HasPrefix(reason, wrongPort) {
		return wrongPortError{err}
	}
	return err
}

type wrongPortError struct{ error }

func (e wrongPortError) Unwrap() error        { return e.error }
func (e wrongPortError) Is(target error) bool { return target == ErrWrongPort }
