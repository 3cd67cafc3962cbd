package newapi

import (
	"context"
	"io"

	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

// Clean undoes the changes that the journal of a crashed run lists. For each change, it writes a line to done, in the format of the journal. It
// returns the number of changes that had not been undone. After an error, you can call Clean again for the remaining changes.
//
// Clean returns [ErrJournal] if the journal cannot be read, and [targets.ErrCredential] if the gateway does not accept the administrator's credential
// in the profile.
func (d Driver) Clean(ctx context.Context, p profile.Profile, journal io.Reader, done io.Writer) (int, error) {
	open, err := openEntries(journal)
	if err != nil || len(open) == 0 {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, cleanupTimeout)
	defer cancel()
	log := &undoLog{admin: d.client(p), store: targets.NewLazyStore(p.Store, d.OpenStore), journal: done, open: open}
	return len(open), log.close(ctx)
}
