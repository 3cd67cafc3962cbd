package runner

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets/profile"
)

// Replay runs one case of an earlier run again. The configuration's target is that of the earlier run where it is not
// set, as far as a log can tell: the reference gateway, or a bare URL whose key the configuration brings along in
// Target.Keys.Valid. Its level, rows, surfaces and cases are not used.
//
// It returns [ErrUsage] when the run has no such case, or did not offer it, or the target cannot be known; and the
// errors of [Run].
func Replay(ctx context.Context, cfg Config, earlier runlog.Run, id string) (reports.Replay, error) {
	i := slices.IndexFunc(earlier.Cases, func(c runlog.Case) bool { return c.ID == id })
	if i < 0 {
		return reports.Replay{}, fmt.Errorf("%w: the run has no case %q", ErrUsage, id)
	}
	before := earlier.Cases[i]
	if before.Verdict == contract.NotOffered {
		return reports.Replay{}, fmt.Errorf("%w: %s was not offered: %s", ErrUsage, id, before.Reason)
	}
	if cfg.Target.BaseURL == "" && cfg.Target.Driver == "" {
		target, err := targetOf(earlier, cfg.Target.Keys.Valid)
		if err != nil {
			return reports.Replay{}, err
		}
		cfg.Target = target
	}
	if known, err := contract.ParseCase(id); err == nil && known.IsLoad() {
		cfg.Target.Load.Surfaces = []dialect.Surface{before.Surface}
	}
	cfg.Level, cfg.Rows, cfg.Surfaces, cfg.Cases = contract.Full, nil, []string{string(before.Surface)}, []string{id}
	run, err := Run(ctx, cfg)
	if err != nil {
		return reports.Replay{}, err
	}
	return reports.Replay{Before: before, After: run.Outcomes()[0], Run: run}, nil
}

// targetOf makes the target of a log ready to be asked again. A log holds no keys, and no address of a provider.
func targetOf(run runlog.Run, key string) (profile.Profile, error) {
	logged, err := profile.ParseRedacted(run.Target.Profile)
	if err != nil {
		return logged, fmt.Errorf("%w: the profile in the log cannot be read: %w", ErrUsage, err)
	}
	if logged.Driver == profile.ReferenceDriver {
		return profile.Profile{Concurrency: logged.Concurrency}, nil
	}
	bare := profile.FromURL(logged.BaseURL, logged.Keys.Valid, logged.Models.Default)
	bare.Name = logged.Name
	switch {
	case bare.Redacted() != logged.Redacted():
		return logged, fmt.Errorf("%w: a log holds no keys: give the profile of %s", ErrUsage, logged.Name)
	case key == "" || strings.HasPrefix(key, "["):
		return logged, fmt.Errorf("%w: a log holds no keys: give a valid key of %s", ErrUsage, logged.Name)
	}
	bare.Keys.Valid = key
	return bare, nil
}
