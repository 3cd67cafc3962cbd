package targets

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
)

// ErrGivenUp is returned for the remaining cases of a surface after several consecutive calls on it took longer than the profile's patience.
var ErrGivenUp = errors.New("given up")

// mostOverdue is how many calls in a row on a surface may take longer than the patience. Each may take twice that, so that a
// gateway which drips every error would hold up a run for hours.
const mostOverdue = 4

// overdue counts, by surface, the calls in a row that took longer than the patience. The zero value counts from none.
type overdue struct {
	mu    sync.Mutex
	calls map[dialect.Surface]int
}

// count counts a call, or begins anew after one that came in time. Where an upstream is slow, a gateway may be slow too.
func (v *overdue) count(c contract.Case, late bool) {
	if c.Circumstance == contract.SlowUpstream {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.calls[c.Surface] >= mostOverdue: // given up: what was under way at that time changes nothing
	case !late:
		delete(v.calls, c.Surface)
	default:
		if v.calls == nil {
			v.calls = make(map[dialect.Surface]int)
		}
		v.calls[c.Surface]++
	}
}

// givenUp are the surfaces with too many such calls.
func (v *overdue) givenUp() []dialect.Surface {
	v.mu.Lock()
	defer v.mu.Unlock()
	var surfaces []dialect.Surface
	for surface, n := range v.calls {
		if n >= mostOverdue {
			surfaces = append(surfaces, surface)
		}
	}
	slices.Sort(surfaces)
	return surfaces
}

// patient returns [ErrGivenUp] for a case on a surface that was given up.
func (s *Session) patient(c contract.Case) error {
	if s.persist || !slices.Contains(s.overdue.givenUp(), c.Surface) {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrGivenUp, s.overdueNote(c.Surface))
}

func (s *Session) overdueNote(surface dialect.Surface) string {
	return fmt.Sprintf("%d calls in a row on %s took longer than %s (limits.patience), so gatecert skipped the remaining cases on this endpoint",
		mostOverdue, surface, s.Profile.Limits.Patience)
}
