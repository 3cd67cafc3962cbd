package fleet

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/internal/wait"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports/plain"
)

// For returns the fleet as the generators of an engine, for the target that s describes.
func (f *Fleet) For(s Setup) load.Generators { return generators{f, s} }

type generators struct {
	fleet *Fleet
	setup Setup
}

// maxAttempts is how often a phase is begun.
const maxAttempts = 3

// rejoinFor is how long is waited for a worker when none is left: a server that is restarted is back within seconds.
const rejoinFor = 30 * time.Second

// RunPhase implements [load.Generators]. A phase that has lost a worker is abandoned, and run again by the remaining workers.
func (g generators) RunPhase(ctx context.Context, p load.Phase, spare load.Plan) (m load.Measurement, extra load.Plan, err error) {
	f := g.fleet
	f.mu.Lock()
	f.phases++
	phase := f.phases
	f.mu.Unlock()
	var reruns []string
	gone := map[string]bool{}
	for n := 1; ; n++ {
		workers, err := f.gather(ctx)
		if err != nil {
			return load.Measurement{Phase: p.Name, Reruns: reruns}, extra, err
		}
		workers = slices.DeleteFunc(workers, func(w string) bool { return gone[w] })
		if len(workers) == 0 {
			extra.Requests -= min(extra.Requests, m.Sent) // the measurement of the attempt before is returned after all
			return m, extra, context.Cause(ctx)
		}
		if n > 1 {
			f.noteRerun(p.Name, reruns[len(reruns)-1])
		}
		a := newAttempt(f, fmt.Sprintf("%d.%d", phase, n), p, g.setup, workers)
		began := time.Now()
		m, err = a.run(ctx)
		m.Reruns = reruns
		for _, s := range a.shards {
			gone[s.worker] = gone[s.worker] || s.gone
		}
		failed := a.failures()
		spent := a.mayHaveSent()
		if len(failed) > 0 {
			m.Generator.Problems = append(failed, m.Generator.Problems...)
			m.Generator.Undersent = true
			m.Offered = max(m.Offered, p.Requests())
			f.show("phase " + p.Name + " is inconclusive: " + strings.Join(failed, "; "))
		}
		again := len(failed) > 0 && err == nil && ctx.Err() == nil && n < maxAttempts &&
			extra.Requests+spent <= spare.Requests && extra.Duration+time.Since(began) <= spare.Duration
		if !again {
			extra.Requests += spent - min(spent, m.Sent)
			return m, extra, err
		}
		extra.Requests += spent
		extra.Duration += time.Since(began)
		reruns = append(reruns, fmt.Sprintf("%s; the failed attempt sent up to %s", strings.Join(failed, "; "), plain.Count(spent, "request")))
		if err := a.settle(ctx); err != nil {
			return m, extra, err
		}
	}
}

// settle waits until no worker of an attempt that was given up sends any more: a lease that names another attempt, or none, stops those that
// have missed that they were stopped, and those that do not hear it have no lease.
func (a *attempt) settle(ctx context.Context) error {
	for _, s := range a.shards {
		if !a.began.IsZero() && s.portion == nil {
			return wait.For(ctx, leaseFor+leaseEvery)
		}
	}
	return nil
}

func (f *Fleet) noteRerun(phase, why string) {
	f.mu.Lock()
	f.reruns = append(f.reruns, fmt.Sprintf("phase %q was run again: %s", phase, why))
	f.mu.Unlock()
	f.show(fmt.Sprintf("the remaining workers run phase %s again", phase))
}

// gather returns the workers that are there. Where none is, it waits for one. It returns [ErrLost] when none comes.
func (f *Fleet) gather(ctx context.Context) ([]string, error) {
	deadline := time.Now().Add(rejoinFor)
	for {
		if f.conn.IsConnected() {
			err := f.ensure(ctx)
			if err == nil {
				workers, err := f.recruit(ctx)
				if err != nil || len(workers) > 0 {
					return workers, err
				}
			}
		}
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case time.Now().After(deadline) && !f.conn.IsConnected():
			return nil, fmt.Errorf("%w: the connection to the NATS server at %s was lost and could not be restored within %s", ErrLost, f.config.Access.URL, rejoinFor)
		case time.Now().After(deadline):
			return nil, fmt.Errorf("%w: fleet %s has no workers left, and none came back within %s", ErrLost, f.config.Name, rejoinFor)
		}
		if err := wait.For(ctx, helloEvery/5); err != nil {
			return nil, err
		}
	}
}

// merge joins the portions of an attempt, and adds what only the coordinator knows: the clocks, and what workers share a machine.
func (a *attempt) merge() (load.Measurement, error) {
	ran := slices.DeleteFunc(slices.Clone(a.shards), func(s *shardState) bool { return s.portion == nil || s.portion.Portion.Empty() })
	var parts []load.Named
	for _, s := range ran {
		parts = append(parts, load.Named{Worker: s.worker, Portion: s.portion.Portion})
	}
	m, err := a.phase.Join(a.began, parts)
	if err != nil {
		return m, fmt.Errorf("worker: %w", err)
	}
	for _, s := range ran {
		share := s.portion.Portion.Share()
		h := a.fleet.member(s.worker)
		share.Name, share.Host, share.Source, share.Offset, share.Uncertainty = s.worker, h.Host, h.Source, s.offset.Ahead, s.offset.Within
		m.Workers = append(m.Workers, share)
		if skew := share.Begun + share.Uncertainty; skew > a.fleet.config.Skew && share.Sent > 0 {
			m.Generator.Problems = append(m.Generator.Problems, fmt.Sprintf("worker %s may have started up to %s late (including the uncertainty of its clock); the limit is %s",
				s.worker, skew.Round(100*time.Microsecond), a.fleet.config.Skew))
		}
	}
	a.addCPU(&m)
	return m, nil
}

// addCPU adds up the processor time of workers that share a machine. The machine with the highest share stands for the fleet.
func (a *attempt) addCPU(m *load.Measurement) {
	used, cores, hosts := map[string]float64{}, map[string]int{}, map[string]string{}
	for _, w := range m.Workers {
		h := a.fleet.member(w.Name)
		used[h.Machine] += max(w.CPU, 0)
		cores[h.Machine], hosts[h.Machine] = w.Cores, w.Host
	}
	m.Generator.CPU, m.Generator.Cores = 0, 0
	for _, machine := range slices.Sorted(maps.Keys(used)) {
		m.Generator.CPU = max(m.Generator.CPU, used[machine])
		m.Generator.Cores += cores[machine]
		if used[machine] > a.phase.Generator.CPU && !a.phase.Embedded {
			m.Generator.Problems = append(m.Generator.Problems, fmt.Sprintf("the workers on %s used %.3g %% of the CPU time of that machine's %s (the limit is %.3g %%)",
				hosts[machine], 100*used[machine], plain.Count(cores[machine], "core"), 100*a.phase.Generator.CPU))
		}
	}
}

// member returns the last hello of a worker.
func (f *Fleet) member(worker string) hello {
	f.mu.Lock()
	defer f.mu.Unlock()
	if m := f.members[worker]; m != nil {
		return m.hello
	}
	return hello{}
}

// failures say which workers failed in the attempt, and why; none when all portions are whole.
func (a *attempt) failures() (all []string) {
	for _, s := range a.shards {
		if s.failed != "" {
			all = append(all, "worker "+s.worker+" "+s.failed)
		}
	}
	slices.Sort(all)
	return all
}

// mayHaveSent is how many requests the attempt may have sent: those of portions, and the whole share where there is none.
func (a *attempt) mayHaveSent() (n uint64) {
	if a.began.IsZero() {
		return 0
	}
	for _, s := range a.shards {
		if s.portion != nil {
			n += s.portion.Portion.Share().Sent
		} else {
			whole := a.phase
			whole.Share = s.share
			n += whole.Requests()
		}
	}
	return n
}
