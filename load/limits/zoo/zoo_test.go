package zoo

import (
	"context"
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
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
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
	all := slices.Concat(libraries(t), redisLimiters(t), ownLimiters(t), middlewares(t), nginxLimiters(t), haproxyLimiters(t))
	return slices.DeleteFunc(all, func(s species) bool { return !only.MatchString(s.library + ": " + s.name) })
}

// inferred is the experiment that declares nothing.
const inferred = "infer"

// experiment is one declaration that is verified of a species, or its inference.
type experiment struct {
	species     int
	declaration declaration
}

func (e experiment) run(ctx context.Context, s species) result {
	if e.declaration.name == inferred {
		return infer(ctx, s)
	}
	return verify(ctx, s, e.declaration)
}

func experiments(all []species) []experiment {
	var list []experiment
	for i, s := range all {
		for _, d := range declarations(s) {
			list = append(list, experiment{i, d})
		}
		list = append(list, experiment{i, declaration{name: inferred}})
	}
	return list
}

// runAll makes experiments, so many at the same time: they mostly wait.
func runAll(t *testing.T, all []species, list []experiment, parallel int, results *table) {
	t.Helper()
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(parallel)
	for _, e := range list {
		group.Go(func() error {
			return results.add(e, e.run(ctx, all[e.species]))
		})
	}
	require.NoError(t, group.Wait())
}

// Every limiter, declared rightly and wrongly, and inferred. In the second half of the runs all cores are busy.
func TestZoo(t *testing.T) {
	if !accepting {
		t.Skip("make zoo")
	}
	all := allSpecies(t)
	results := newTable(all)
	results.path = os.Getenv("GATECERT_ZOO_TABLE")
	runs, parallel := setting(t, "GATECERT_ZOO_RUNS", 2), setting(t, "GATECERT_ZOO_PARALLEL", 16)
	for _, batch := range []struct {
		runs     int
		spinning bool
	}{{runs - runs/2, false}, {runs / 2, true}} {
		list := slices.Repeat(experiments(all), batch.runs)
		rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		began, stop := time.Now(), func() {}
		if results.spinning = batch.spinning; batch.spinning {
			stop = spin()
		}
		runAll(t, all, list, parallel, results)
		stop()
		t.Logf("%d runs, cores busy %v: %s", batch.runs, batch.spinning, time.Since(began).Round(time.Second))
	}
	require.NoError(t, results.write())
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
		"x/time/rate: bucket of 20, 10/s":         {"true", "half"},
		"own: log 20 in 2s":                       {"true", "half", "double"},
		"sethvargo: 20 in 2s from the first call": {"true", "half"},
		"redis_rate: GCRA 20 in 2s":               {"true"},
		"Redis script: ZSET 20 in 2s":             {"true"},
		"x/sync: semaphore of 8":                  {"true"},
		"nginx: 10r/s burst=4 nodelay":            {"true"},
		"HAProxy: gpc0_rate(2s) ge 20":            {"true"},
	}
	all := allSpecies(t)
	list := slices.DeleteFunc(experiments(all), func(e experiment) bool {
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
	runAll(t, all, list, len(list), results)
	require.Zero(t, results.wrong(), results)
}
