//go:build race

// The race detector is interested in memory, not in verdicts: it gets each kind of limiter once.

package limits

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
)

func TestSimulationsWithTheRaceDetector(t *testing.T) {
	for i, kind := range contract.LimiterKinds() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := simulation{kind, 5, time.Second, 0, 5, i%2 == 1}.limiter()
				m, _, err := Infer(t.Context(), l.call, Budget{})
				require.NoError(t, err)
				require.Equal(t, kind, m.Kind, m.Evidence)
				require.Equal(t, 5, m.Limit, m.Evidence)
			})
			synctest.Test(t, func(t *testing.T) {
				g := simulation{kind, 20, 2 * time.Second, 0, 3, i%2 == 1}.gateway(faults{})
				findings, evidence := verify(t, g, DeclaredLimit{Kind: kind, Limit: 20, Window: 2 * time.Second})
				require.Empty(t, findings, "%+v", evidence)
			})
			synctest.Test(t, func(t *testing.T) {
				g := simulation{kind, 20, 2 * time.Second, 0, 3, i%2 == 1}.gateway(faults{burstExcess: 3, ownStreams: true, attempts: 5})
				findings, _ := verify(t, g, DeclaredLimit{Kind: kind, Limit: 20, Window: 2 * time.Second})
				require.Contains(t, requirements(findings), contract.LimitBurst)
				require.Contains(t, requirements(findings), contract.StreamShare)
			})
		})
	}
}
