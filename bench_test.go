package gatecert_test

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/contract"
)

// BenchmarkRun runs all cases except load cases against the built-in reference gateway, including those that wait for a timeout.
// It reports cases per second, and the memory that harness, gateway and upstream together obtained from the system.
func BenchmarkRun(b *testing.B) {
	cases := 0
	for b.Loop() {
		run, err := certify(b.Context(), gatecert.Config{})
		require.NoError(b, err)
		require.Equal(b, contract.Pass, run.Verdict())
		cases += len(run.Cases)
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	b.ReportMetric(float64(cases)/b.Elapsed().Seconds(), "cases/s")
	b.ReportMetric(float64(memory.Sys)/(1<<20), "MB-sys")
}

// BenchmarkEdge runs the cases of level edge on one surface. None of them waits, so that it measures gatecert itself.
func BenchmarkEdge(b *testing.B) {
	cases := 0
	for b.Loop() {
		run, err := certify(b.Context(), gatecert.Config{Level: contract.Edge, Surfaces: []string{"chat"}})
		require.NoError(b, err)
		cases += len(run.Cases)
	}
	b.ReportMetric(float64(cases)/b.Elapsed().Seconds(), "cases/s")
}
