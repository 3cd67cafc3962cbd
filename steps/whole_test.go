//go:build !race

// Every answer in every case of the contract: make test-whole.

package steps

import "testing"

func TestStepsAgreeWithFindingsInEveryCase(t *testing.T) { stepsAgree(t, 1) }
