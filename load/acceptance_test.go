package load

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/upstream"
)

// acceptanceVariable asks for many more runs than a test needs, and for runs on a real clock. runsVariable says how many.
const (
	acceptanceVariable = "GATECERT_ACCEPTANCE"
	runsVariable       = "GATECERT_RUNS"
)

// acceptanceRuns skips a test that is not asked for, and returns how many runs are.
func acceptanceRuns(t *testing.T, command string) int {
	t.Helper()
	if os.Getenv(acceptanceVariable) == "" {
		t.Skip("it measures on the real clock: " + command)
	}
	if runs, err := strconv.Atoi(os.Getenv(runsVariable)); err == nil && runs > 0 {
		return runs
	}
	return 20
}

// leastRight is how many of so many runs have to be right: 19 of 20.
func leastRight(runs int) int { return runs * 19 / 20 }

// The search, on a real clock, against a server in a process of its own whose capacity is known. make accept-capacity
func TestSearchFindsTheCapacityOfAProcess(t *testing.T) {
	runs := acceptanceRuns(t, "make accept-capacity")
	table := []string{"| server | arrivals | truth within the bounds | and at most 15 % apart, in less than a minute | of runs | widest | longest |", "|---|---|--:|--:|--:|--:|--:|"}
	for _, perSecond := range []float64{100, 400, 2000} {
		for _, arrivals := range []Arrivals{{}, PoissonArrivals()} {
			t.Run(fmt.Sprintf("%g a second, %s arrivals", perSecond, arrivals), func(t *testing.T) {
				const servers = 8
				address := serverOf(t, fmt.Sprintf("%dx%s", servers, time.Duration(servers/perSecond*float64(time.Second))))
				right, good, known := 0, 0, 0
				widest, longest := 1.0, time.Duration(0)
				for run := range runs {
					e := newEngine(t, HardCaps())
					search := Search{To: 20_000, Phase: Phase{Mix: []Request{chatRequest("http://" + address)}, Arrivals: arrivals, Seed: uint64(1000 * run)}}
					began := time.Now()
					c, err := e.Capacity(t.Context(), search)
					took := time.Since(began)
					require.NoError(t, err)
					contained := c.Lower <= perSecond && (perSecond < c.Upper || c.GeneratorLimited)
					t.Logf("%s, ratio %.3f, in %s, %d probes %v", c, c.Upper/c.Lower, took.Round(time.Second), len(c.Probes), c.Notes)
					assert.True(t, contained, "the truth is never denied: a machine that cannot keep up is named")
					if c.GeneratorLimited {
						continue
					}
					known++
					countWhere(contained, &right)
					countWhere(contained && c.Upper/c.Lower <= 1.15 && took < time.Minute, &good)
					widest, longest = max(widest, c.Upper/c.Lower), max(longest, took)
				}
				table = append(table, fmt.Sprintf("| %g/s | %s | %d | %d | %d | %.1f %% | %s |", perSecond, arrivals, right, good, known, 100*(widest-1), longest.Round(time.Second)))
				assert.GreaterOrEqual(t, good, leastRight(known))
			})
		}
	}
	fmt.Fprintln(t.Output(), strings.Join(table, "\n"))
}

// A comparison, on a real clock, of two servers in processes of their own, of which one takes 2 ms longer by its own clock, and of one of
// them with itself. make accept-compare
func TestComparisonFindsWhatIsAdded(t *testing.T) {
	runs := acceptanceRuns(t, "make accept-compare")
	metrics := []string{"service.p50", "service.mean"}
	found, differs := map[string]int{}, map[string]int{}
	for run := range runs {
		// Each run has servers of its own, whose means are those of this comparison.
		a, b := serverOf(t, "8x5ms"), serverOf(t, "8x7ms")
		e := newEngine(t, HardCaps())
		comparison := Comparison{
			Phase: Phase{Seed: uint64(1000 * run)}, Rate: 100, Rounds: 20, Duration: 500 * ms,
			A: Side{Name: "A", Mix: []Request{chatRequest("http://" + a)}}, B: Side{Name: "B", Mix: []Request{chatRequest("http://" + b)}},
		}
		two, err := e.Compare(t.Context(), comparison)
		require.NoError(t, err)
		medianA, meanA := servedIn(t, a)
		medianB, meanB := servedIn(t, b)
		added := map[string]float64{"service.p50": (medianB - medianA).Seconds(), "service.mean": (meanB - meanA).Seconds()}
		comparison.B = Side{Name: "B", Mix: comparison.A.Mix}
		self, err := e.Compare(t.Context(), comparison)
		require.NoError(t, err)
		for _, d := range two.Differences {
			truth, compared := added[d.Metric]
			if !compared {
				continue
			}
			if d.Added.Low <= truth && truth <= d.Added.High {
				found[d.Metric]++
			}
			t.Logf("%s: added %.3f ms by the servers' clocks, measured %.3f (%.3f to %.3f)", d.Metric, 1000*truth, 1000*d.Added.Value, 1000*d.Added.Low, 1000*d.Added.High)
		}
		for _, d := range self.Differences {
			if d.Found() {
				differs[d.Metric]++
				t.Logf("%s: the gateway differs from itself by %.3f ms (%.3f to %.3f)", d.Metric, 1000*d.Added.Value, 1000*d.Added.Low, 1000*d.Added.High)
			}
		}
	}
	table := []string{"| metric | an added 2 ms is within the interval | a gateway differs from itself | of runs |", "|---|--:|--:|--:|"}
	for _, m := range metrics {
		assert.GreaterOrEqual(t, found[m], leastRight(runs), m)
		assert.LessOrEqual(t, differs[m], max(runs-leastRight(runs), 1), m)
		table = append(table, fmt.Sprintf("| %s | %d | %d | %d |", m, found[m], differs[m], runs))
	}
	fmt.Fprintln(t.Output(), strings.Join(table, "\n"))
}

// servedIn asks a server of a known service time how long its requests took, by its own clock.
func servedIn(t *testing.T, address string) (p50, mean time.Duration) {
	t.Helper()
	resp, err := http.Get("http://" + address + "/measured")
	require.NoError(t, err)
	defer resp.Body.Close()
	_, err = fmt.Fscan(resp.Body, &p50, &mean)
	require.NoError(t, err)
	http.DefaultClient.CloseIdleConnections()
	return p50, mean
}

// What is measured of the streams of a model that a process of its own plays, next to what that says it played. make accept-model
func TestModelOfAProcess(t *testing.T) {
	runs := acceptanceRuns(t, "make accept-model")
	table := []string{"| streams | within 2 % or 1 ms | of runs | missed |", "|--:|--:|--:|---|"}
	for _, row := range []struct {
		streams int
		model   string
		rate    float64
		length  time.Duration
	}{
		{1, "ttft=lognormal:100ms:0.2,itl=20ms,tokens=20", 1.5, 10 * time.Second},
		{1000, "ttft=lognormal:500ms:0.3,itl=400ms,tokens=16", 170, 7 * time.Second},
	} {
		agreed, missed := 0, map[string]int{}
		for range runs {
			address := serverOf(t, modelServerMode+row.model)
			e := newEngine(t, HardCaps())
			m, err := e.Run(t.Context(), modelPhase("http://"+address, dialect.ChatStream, row.rate, row.length, row.streams+500))
			require.NoError(t, err)
			resp, err := http.Get("http://" + address + "/_gatecert/model")
			require.NoError(t, err)
			var played upstream.Played
			require.NoError(t, json.NewDecoder(resp.Body).Decode(&played))
			require.NoError(t, resp.Body.Close())
			http.DefaultClient.CloseIdleConnections()
			e.Close() // 1,500 connections, of 20 runs, are more than many a process may have
			misses := disagreements(m, played)
			countWhere(len(misses) == 0, &agreed)
			for _, name := range misses {
				what, _, _ := strings.Cut(name, ":")
				missed[what]++
			}
			t.Logf("%d streams: %v", row.streams, misses)
		}
		table = append(table, fmt.Sprintf("| %d | %d | %d | %v |", row.streams, agreed, runs, missed))
		assert.GreaterOrEqual(t, agreed, leastRight(runs))
	}
	fmt.Fprintln(t.Output(), strings.Join(table, "\n"))
}

func countWhere(yes bool, n *int) {
	if yes {
		*n++
	}
}
