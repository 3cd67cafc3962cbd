package limits

import (
	"context"
	"fmt"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
)

// measureRefusedCost makes further calls while the limit is used up, and reads the balance before and after. When time freed the
// limit for one of them, it starts again.
func (v *verifier) measureRefusedCost(ctx context.Context) error {
	for range maxTurns {
		before, err := v.balance(ctx)
		if err != nil {
			return err
		}
		began := len(v.calls)
		for range repeats {
			if _, err := v.probe(ctx); err != nil {
				return err
			}
		}
		if count(v.calls[began:], Refused) < repeats {
			continue
		}
		after, err := v.balance(ctx)
		if err == nil && v.probers.Balance != nil {
			v.transcript.refusedCost = new(before - after)
		}
		return err
	}
	return nil
}

// balance is what the key's owner has left, 0 where that cannot be read.
func (v *verifier) balance(ctx context.Context) (float64, error) {
	if v.probers.Balance == nil {
		return 0, nil
	}
	left, err := v.probers.Balance(ctx)
	if err != nil {
		return 0, fmt.Errorf("read the balance: %w", withCause(ctx, err))
	}
	return left, nil
}

// checkRefusedCost finds refused calls that were charged for.
func (a *assessment) checkRefusedCost() {
	if a.refusedCost != nil && *a.refusedCost > 0 {
		a.find(contract.RefusedFree, contract.Should, "refused calls to cost nothing",
			fmt.Sprintf("%g was deducted from the balance for %d refused calls", *a.refusedCost, repeats))
	}
}

// recordRefusedFree says what was checked about what refused calls take.
func (a *assessment) recordRefusedFree() {
	refused := count(a.calls, Refused)
	if refused == 0 {
		return
	}
	counted := "did not count against the limit"
	if a.declared.RefusedCount {
		counted = "counted against the limit, as declared"
	}
	if a.refusedCost != nil {
		a.held(contract.RefusedFree, "%s %s; %d consecutive refused calls cost nothing", plain.Count(refused, "refused call"), counted, repeats)
		return
	}
	a.held(contract.RefusedFree, "%s %s; their cost was not checked", plain.Count(refused, "refused call"), counted)
}
