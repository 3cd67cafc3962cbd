package load

import (
	"errors"
	"fmt"
)

// ErrDescriptors is returned if this process may not open as many file descriptors as a phase needs. Such an error is also an [ErrInvalid].
var ErrDescriptors = errors.New("too few descriptors")

// descriptorsError is an [ErrDescriptors], which says why.
type descriptorsError string

func (e descriptorsError) Error() string { return ErrInvalid.Error() + ": " + string(e) }

func (e descriptorsError) Is(target error) bool {
	return target == ErrInvalid || target == ErrDescriptors
}

// spareDescriptors are for everything but connections: the log, the reports, the upstream's listener.
const spareDescriptors = 64

// checkDescriptors returns [ErrInvalid] when a phase needs more connections than this process may have descriptors for. Running out
// in the middle (EMFILE) would look like a gateway that refuses connections. A gateway in this process has the other end of each
// connection open too, and one to its upstream, whose other end is here as well.
func checkDescriptors(p Phase, limit uint64) error {
	each := uint64(1)
	if p.Embedded {
		each = 4
	}
	needed := each*uint64(p.Connections) + spareDescriptors //nolint:gosec // checked
	if limit == 0 || needed <= limit {
		return nil
	}
	return descriptorsError(fmt.Sprintf("%d connections need about %d file descriptors, but this process may open only %d: raise the limit with ulimit -n, or use at most %d connections",
		p.Connections, needed, limit, (limit-min(limit, spareDescriptors))/each))
}
