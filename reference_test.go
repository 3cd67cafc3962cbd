//go:build !race

// With the race detector, which watches seven endpoints in run_test.go, this takes a quarter of all tests.

package gatecert_test

import "testing"

func TestTheReferenceGatewayKeepsTheWholeContract(t *testing.T) {
	t.Parallel()
	keepsTheContract(t)
}
