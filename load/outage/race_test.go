//go:build race

package outage_test

import (
	"testing"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/internal/runner"
)

// testRate is lower than that of a run: with the race detector a gateway takes 20 ms of processor time a request. Mutants show
// at the full rate only.
const testRate = 8

func TestOutagesWithTheRaceDetector(t *testing.T) {
	assertOutages(t, 2, []*outageRun{
		{outage: runner.SlowOutage, surface: dialect.Chat},
		{outage: runner.FailingOutage, surface: dialect.Messages},
	})
}
