package snapshot

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/registrar"
	"github.com/librserpool/librserpool/core/internal/wire"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// A state file holds what a registrar knew, for the registrar that is started
// after it:
//
//	"rserpool-state 1\n"                      name and version of the format
//	8 bytes                                   when it was written, Unix seconds
//	ENRP_HANDLE_TABLE_RESPONSE, ...           the table, as peers download it
//	32 bytes                                  SHA-256 of all that

const magic = "rserpool-state 1\n"

// grace is how long after the end of its life an entry is still taken:
// the file may be that much older than what it says.
const grace = time.Minute

// EncodeTable returns a table as it stands in a state file.
func EncodeTable(v registrar.View) ([]byte, error) {
	var out []byte
	t := NewTable(v, false)
	for more := len(t.rest) > 0; more; {
		var m enrp.HandleTableResponse
		m.Sender = v.Server
		m.Entries, more = t.Part(MaxPart)
		m.More = more
		var err error
		if out, err = enrp.Append(out, m); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Encode makes a state file of a table.
func Encode(table []byte, at time.Time) []byte {
	out := append([]byte(nil), magic...)
	out = binary.BigEndian.AppendUint64(out, uint64(at.Unix()))
	out = append(out, table...)
	sum := sha256.Sum256(out)
	return append(out, sum[:]...)
}

// Decode reads a state file. Entries whose life has ended are left out.
func Decode(b []byte, at time.Time) ([]enrp.PoolEntry, error) {
	const fixed = len(magic) + 8
	if len(b) < fixed+sha256.Size || !bytes.HasPrefix(b, []byte(magic)) {
		return nil, errors.New("it is no state file of this version")
	}
	body, sum := b[:len(b)-sha256.Size], sha256.Sum256(b[:len(b)-sha256.Size])
	if !bytes.Equal(sum[:], b[len(body):]) {
		return nil, errors.New("its checksum is wrong: it was cut off or changed")
	}
	age := at.Sub(time.Unix(int64(binary.BigEndian.Uint64(body[len(magic):])), 0))
	var out []enrp.PoolEntry
	for rest := body[fixed:]; len(rest) > 0; {
		entries, n, err := decodePart(rest)
		if err != nil {
			return nil, err
		}
		rest = rest[n:]
		for _, e := range entries {
			if e.Elements = alive(e.Elements, age); len(e.Elements) > 0 {
				out = append(out, e)
			}
		}
	}
	return out, nil
}

func decodePart(b []byte) (entries []enrp.PoolEntry, size int, err error) {
	if len(b) < 4 {
		return nil, 0, errors.New("its table ends in the middle")
	}
	if size, err = wire.FrameSize([4]byte(b)); err != nil {
		return nil, 0, err
	}
	if size > len(b) {
		return nil, 0, errors.New("its table ends in the middle")
	}
	m, _, err := enrp.Parse(b[:size])
	part, ok := m.(enrp.HandleTableResponse)
	if err != nil || !ok {
		return nil, 0, fmt.Errorf("its table cannot be read: %w", err)
	}
	return part.Entries, size, nil
}

func alive(elements []protocol.Element, age time.Duration) []protocol.Element {
	var out []protocol.Element
	for _, e := range elements {
		if life, ends := e.Life.Duration(); !ends || age <= life+grace {
			out = append(out, e)
		}
	}
	return out
}
