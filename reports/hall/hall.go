package hall

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/certificate"
	"github.com/gatecert/gatecert/reports/runlog"
)

// ErrNothingListed is returned if no log can be listed.
var ErrNothingListed = errors.New("nothing to list")

// MaxAge is the age, in days, up to which a run is listed.
const MaxAge = 90

// Options decide which logs are listed.
type Options struct {
	Auditor certificate.Auditor
	// Keys are the public keys whose certificates are accepted.
	Keys []certificate.Key
	// Signed rejects logs without a certificate.
	Signed bool
	// Scope is the certification level to list, in the form of [runlog.Selection.Scope]: "relay", "full without load cases". "" selects the level of
	// most gateways, or the lowest of these if there are several.
	Scope string
	// Today is the day from which the age of a run counts, in UTC.
	Today time.Time
	// URL is the URL at which the pages will be published, or "" if it is not known. It makes the addresses in the feed absolute.
	URL string
}

// Hall is the content of a folder of logs.
type Hall struct {
	// Gateways are the gateways with a listed log, sorted by name.
	Gateways []Gateway
	// Refused are the logs that are not listed, sorted by path.
	Refused []Refusal
	// Scope is the level of all listed runs.
	Scope string

	options Options
	folder  fs.FS
}

// Read reads a folder that contains the logs of runs and their certificates. It returns [ErrNothingListed] together with the reasons in
// [Hall.Refused], and the errors of the file system.
func Read(ctx context.Context, folder fs.FS, o Options) (Hall, error) {
	h := Hall{options: o, folder: folder}
	sources, err := find(folder)
	if err != nil {
		return h, err
	}
	var entries []Entry
	seen := make(map[string]string) // paths by digest
	for _, s := range sources {
		if err := ctx.Err(); err != nil {
			return h, err
		}
		e, refusal := h.entry(ctx, s)
		if refusal == nil {
			if other, twice := seen[e.Digest]; twice {
				refusal = refused(Duplicate, "this log is the same as %s", other)
			}
		}
		if refusal != nil {
			refusal.Path = s.path
			h.Refused = append(h.Refused, *refusal)
			continue
		}
		seen[e.Digest] = s.path
		entries = append(entries, e)
	}
	h.Scope = cmp.Or(o.Scope, commonScope(entries))
	entries = slices.DeleteFunc(entries, func(e Entry) bool {
		scope := e.Run.Selection.Scope()
		if scope == h.Scope {
			return false
		}
		refusal := refused(OtherLevel, "the run is at level %s, but this hall lists only level %s", scope, h.Scope)
		refusal.Path = e.Path
		h.Refused = append(h.Refused, *refusal)
		return true
	})
	slices.SortFunc(h.Refused, func(a, b Refusal) int { return cmp.Compare(a.Path, b.Path) })
	h.Gateways = gateways(entries)
	if len(h.Gateways) == 0 {
		return h, fmt.Errorf("%w: the folder contains no run log that can be listed: create one with gatecert run --out DIR/NAME", ErrNothingListed)
	}
	return h, nil
}

// commonScope is the level that most gateways have, the lowest of several; "" without entries.
func commonScope(entries []Entry) string {
	named := make(map[string]map[string]bool) // the gateways of a level
	for _, e := range entries {
		scope := e.Run.Selection.Scope()
		if named[scope] == nil {
			named[scope] = make(map[string]bool)
		}
		named[scope][e.key()] = true
	}
	best := ""
	for _, scope := range Scopes() {
		if len(named[scope]) > len(named[best]) {
			best = scope
		}
	}
	return best
}

// Scopes returns the levels that a hall can have, lowest first.
func Scopes() (all []string) {
	for _, l := range contract.Levels() {
		for _, withoutLoad := range []bool{true, false} {
			if scope := (runlog.Selection{Level: l, WithoutLoad: withoutLoad}).Scope(); !slices.Contains(all, scope) {
				all = append(all, scope)
			}
		}
	}
	return all
}
