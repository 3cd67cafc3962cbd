package runner

import (
	"context"
	"fmt"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/internal/yamlfile"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets/profile"
)

// Replay runs one case of an earlier run again, regardless of the job's selection.
//
// It returns [ErrUsage] if the earlier run does not contain the case or did not offer it, and the errors of [Run].
func Replay(ctx context.Context, job Job, earlier runlog.Run, id string) (runlog.Run, error) {
	before, ok := earlier.Case(id)
	if !ok {
		var ids []string
		for _, c := range earlier.AllCases() {
			ids = append(ids, c.ID)
		}
		return runlog.Run{}, fmt.Errorf("%w: the run contains no case %q: %s", ErrUsage, id, yamlfile.DidYouMean(id, ids, "see the reports of the run for the case IDs"))
	}
	if before.Verdict == contract.NotOffered {
		return runlog.Run{}, fmt.Errorf("%w: the case %s did not run because the target does not offer it: %s", ErrUsage, id, before.Reason)
	}
	if known, err := contract.ParseCase(id); err == nil && known.IsLoad() {
		job.Target.Load.Surfaces = []dialect.Surface{before.Surface}
	}
	job.Selection = runlog.Selection{Level: contract.Full, Surfaces: []dialect.Surface{before.Surface}, Cases: []string{id}}
	return Run(ctx, job)
}

// TargetOf returns the target of an earlier run, ready for new requests: the zero profile for the reference gateway, or a URL with the given key. A
// log contains no keys and no upstream address.
//
// TargetOf returns [ErrUsage] if the caller must pass the profile.
func TargetOf(run runlog.Run, key string) (profile.Profile, error) {
	logged, err := profile.ParseRedacted(run.Target.Profile)
	if err != nil {
		return logged, fmt.Errorf("%w: cannot read the profile in the log: %w", ErrUsage, err)
	}
	if logged.Driver == profile.ReferenceDriver {
		return profile.Profile{Concurrency: logged.Concurrency, Claims: logged.Claims}, nil
	}
	bare := bareTarget(logged, logged.Keys.Valid)
	switch {
	case bare.Redacted() != logged.Redacted():
		return logged, fmt.Errorf("%w: logs do not contain keys: pass the profile of %s with --target", ErrUsage, logged.Name)
	case key == "" && logged.Claims.NoClientKeys():
		return bare, nil
	case key == "" || strings.HasPrefix(key, "["):
		return logged, fmt.Errorf("%w: logs do not contain keys: pass a valid key of %s with --key or $GATEWAY_KEY", ErrUsage, logged.Name)
	}
	bare.Keys.Valid = key
	return bare, nil
}

// bareTarget is what of a profile in a log can be used by everybody, with a key.
func bareTarget(logged profile.Profile, key string) profile.Profile {
	bare := profile.FromURL(logged.BaseURL, key, logged.Models.Default)
	bare.Name, bare.Claims, bare.Prefix = logged.Name, logged.Claims, logged.Prefix
	bare.Models, bare.Surfaces = logged.Models, logged.Surfaces
	return bare
}
