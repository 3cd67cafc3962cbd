package zoo

import (
	"context"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// accepting asks for the whole zoo: make zoo.
var accepting = os.Getenv("GATECERT_ACCEPTANCE") != ""

// setting is a number from the environment.
func setting(t *testing.T, name string, otherwise int) int {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		return otherwise
	}
	n, err := strconv.Atoi(value)
	require.NoError(t, err, name)
	return n
}

// allSpecies are the limiters of the zoo, as far as this machine has them.
func allSpecies(t *testing.T) []species {
	t.Helper()
	only := regexp.MustCompile(os.Getenv("GATECERT_ZOO_ONLY"))
	all := slices.Concat(libraries(), redisLimiters(), ownLimiters(), middlewares(t), nginxLimiters(t), haproxyLimiters(t))
	return slices.DeleteFunc(all, func(s species) bool { return !only.MatchString(s.library + ": " + s.name) })
}

// inferred is the experiment that declares nothing.
const inferred = "infer"

// experiment is one declaration that is verified of a species, or its inference, in one run.
type experiment struct {
	species     int
	declaration declaration
	run         int
	// busy says that all cores are busy: with work where the limiter is real, by simulated delays where it is not.
	busy bool
}

// random is a source of its own for each experiment, the same in every repetition.
func (e experiment) random(s species) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s.library + ": " + s.name + ": " + e.declaration.name))
	return rand.New(rand.NewPCG(uint64(e.run), h.Sum64())) //nolint:gosec // a run has a positive number
}

// try makes the experiment. A limiter that is not real has a simulated clock, on which hours pass in no time.
func (e experiment) try(t *testing.T, s species) (r result) {
	t.Helper()
	of := subject{t: t, log: new(admissionLog), hop: func() time.Duration { return 300 * time.Microsecond }}
	if s.real {
		return e.tryOn(t.Context(), s, of)
	}
	synctest.Test(t, func(t *testing.T) {
		random := e.random(s)
		time.Sleep(time.Duration(random.Int64N(int64(time.Minute)))) // clocks begin anywhere
		of.t, of.hop = t, quietMachine(random)
		if e.busy {
			of.hop = busyMachine(random)
		}
		var mu sync.Mutex
		hop := of.hop
		of.hop = func() time.Duration {
			mu.Lock()
			defer mu.Unlock()
			return hop()
		}
		r = e.tryOn(t.Context(), s, of)
	})
	return r
}

func (e experiment) tryOn(ctx context.Context, s species, of subject) result {
	if e.declaration.name == inferred {
		return infer(ctx, s, of)
	}
	return verify(ctx, s, of, e.declaration)
}

// experiments are those of one run.
func experiments(all []species, run int, busy bool) []experiment {
	var list []experiment
	for i, s := range all {
		for _, d := range declarations(s) {
			list = append(list, experiment{i, d, run, busy})
		}
		list = append(list, experiment{i, declaration{name: inferred}, run, busy})
	}
	return list
}

// tryAll makes experiments, so many at the same time.
func tryAll(t *testing.T, all []species, list []experiment, parallel int, results *table) {
	t.Helper()
	work := make(chan experiment, len(list))
	for _, e := range list {
		work <- e
	}
	close(work)
	t.Run("", func(t *testing.T) {
		for range min(parallel, len(list)) {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				for e := range work {
					results.add(t, e, e.try(t, all[e.species]))
				}
			})
		}
	})
}

// tryRun makes the experiments of a run that have no result yet: those on a simulated clock first, as many as there are cores, and
// then those that mostly wait.
func tryRun(t *testing.T, all []species, run int, busy bool, parallel int, results *table) {
	t.Helper()
	list := slices.DeleteFunc(experiments(all, run, busy), results.has)
	rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	isReal := func(e experiment) bool { return all[e.species].real }
	began := time.Now()
	tryAll(t, all, slices.DeleteFunc(slices.Clone(list), isReal), runtime.NumCPU(), results)
	simulated := time.Since(began)
	stop := func() {}
	if busy {
		stop = spin()
	}
	tryAll(t, all, slices.DeleteFunc(list, func(e experiment) bool { return !isReal(e) }), parallel, results)
	stop()
	t.Logf("run %d, busy %v: %s on the simulated clock, %s on the real one; %s", run, busy,
		simulated.Round(time.Second), (time.Since(began) - simulated).Round(time.Second), results.tally())
}

// Every limiter, declared rightly and wrongly, and inferred. In the second half of the runs all cores are busy.
func TestZoo(t *testing.T) {
	if !accepting {
		t.Skip("make zoo")
	}
	all := allSpecies(t)
	results := newTable(all)
	results.open(t, os.Getenv("GATECERT_ZOO_TABLE"), os.Getenv("GATECERT_ZOO_CONTINUE") != "")
	runs, parallel := setting(t, "GATECERT_ZOO_RUNS", 2), setting(t, "GATECERT_ZOO_PARALLEL", 16)
	for run := range runs {
		tryRun(t, all, run+1, run >= runs-runs/2, parallel, results)
		results.write(t)
	}
	t.Log("\n" + results.String())
	require.Zero(t, results.wrong(), "wrong results")
}

// spin keeps every core busy until stop is called.
func spin() (stop func()) {
	var done atomic.Bool
	var spinning sync.WaitGroup
	for range runtime.NumCPU() {
		spinning.Go(func() {
			for !done.Load() {
			}
		})
	}
	return func() {
		done.Store(true)
		spinning.Wait()
	}
}

// A few of the limiters, of whose results none may be wrong.
func TestSampleOfTheZoo(t *testing.T) {
	if accepting {
		t.Skip("TestZoo has them all")
	}
	sample := map[string][]string{
		"x/time/rate: bucket of 20, 10/s":         {"true", "half", "+1", inferred},
		"own: log 20 in 2s":                       {"true", "half", "double", "-15%"},
		"sethvargo: 20 in 2s from the first call": {"true", "half"},
		"redis_rate: GCRA 20 in 2s":               {"true", "-1"},
		"Redis script: ZSET 20 in 2s":             {"true", "true any"},
		"x/sync: semaphore of 8":                  {"true"},
		"nginx: 10r/s burst=4 nodelay":            {"true"},
		"HAProxy: gpc0_rate(2s) ge 20":            {"true"},
	}
	all := allSpecies(t)
	list := slices.DeleteFunc(experiments(all, 1, false), func(e experiment) bool {
		s := all[e.species]
		return !slices.Contains(sample[s.library+": "+s.name], e.declaration.name)
	})
	for name := range sample {
		library, _, _ := strings.Cut(name, ":")
		if _, err := exec.LookPath(strings.ToLower(library)); err != nil && (library == "nginx" || library == "HAProxy") {
			continue
		}
		require.True(t, slices.ContainsFunc(all, func(s species) bool { return s.library+": "+s.name == name }), name)
	}
	results := newTable(all)
	tryAll(t, all, list, len(list), results)
	require.Zero(t, results.wrong(), results)
}
