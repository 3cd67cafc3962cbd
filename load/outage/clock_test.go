//go:build !race

// These play outages of seconds at the rates of a run, on the real clock, and need a machine that is otherwise idle: make test-clock.

package outage_test

import (
	"os"
	"testing"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/internal/runner"
	"github.com/gatecert/gatecert/targets/mutants"
)

// testRate is that of a run.
const testRate = 30

func outageMutants() []*outageRun {
	return []*outageRun{
		{gateway: "recovers-late", outage: runner.SlowOutage, surface: dialect.GenerateContent, violates: []contract.Requirement{contract.Recovery}},
		{gateway: "timeout-stretches-in-outage", outage: runner.SlowOutage, surface: dialect.Responses, violates: []contract.Requirement{contract.InTime}},
		// A call that is not cancelled is also open after the outage.
		{gateway: "upstream-calls-leak-in-outage", outage: runner.SlowOutage, surface: dialect.Chat, violates: []contract.Requirement{contract.UpstreamFreed, contract.NothingLeft}},
		{gateway: "slots-leak-in-outage", outage: runner.SlowOutage, surface: dialect.Messages, violates: []contract.Requirement{contract.CapacityKept}},
		{gateway: "slots-leak-in-outage", outage: runner.FailingOutage, surface: dialect.Responses, violates: []contract.Requirement{contract.CapacityKept}},
		{gateway: "disconnects-not-passed-on", outage: runner.SlowOutage, surface: dialect.Messages, violates: []contract.Requirement{contract.Departure}},
		{gateway: "slow-calls-starve-the-others", outage: runner.SlowOutage, surface: dialect.Chat, violates: []contract.Requirement{contract.HealthySpared}},
		{gateway: "streams-end-well-in-outage", outage: runner.SlowOutage, surface: dialect.GenerateContent, violates: []contract.Requirement{contract.StreamEnd}},
		{gateway: "errors-change-in-outage", outage: runner.SlowOutage, surface: dialect.Chat, violates: []contract.Requirement{contract.Code}},
		{gateway: "breaker-locks-out", outage: runner.FailingOutage, surface: dialect.Chat, violates: []contract.Requirement{contract.HealthyServed}},
		{gateway: "retries-pile-up-in-outage", outage: runner.FailingOutage, surface: dialect.Messages, violates: []contract.Requirement{contract.RetriesBounded}},
	}
}

func permittedBehaviours() []*outageRun {
	return []*outageRun{
		{outage: runner.SlowOutage, surface: dialect.Chat},
		{outage: runner.FailingOutage, surface: dialect.Messages},
		{gateway: "http2", outage: runner.SlowOutage, surface: dialect.Messages},
		{gateway: "compressed", outage: runner.SlowOutage, surface: dialect.Responses},
		{gateway: "comment-while-waiting", outage: runner.SlowOutage, surface: dialect.GenerateContent},
		{gateway: "comment-while-waiting", outage: runner.FailingOutage, surface: dialect.Messages},
		{gateway: "retries-within-bounds", outage: runner.FailingOutage, surface: dialect.Responses},
		{gateway: "upstream-places-freed-late", outage: runner.SlowOutage, surface: dialect.Chat},
		{gateway: "upstream-places-freed-late", outage: runner.FailingOutage, surface: dialect.Chat},
		{gateway: "header-order", outage: runner.FailingOutage, surface: dialect.GenerateContent},
	}
}

// everyPermittedBehaviour is played before a release: it takes a quarter of an hour.
func everyPermittedBehaviour() (all []*outageRun) {
	surfaces := contract.LoadSurfaces()
	for i, p := range mutants.Permitted() {
		all = append(all,
			&outageRun{gateway: p.Name, outage: runner.SlowOutage, surface: surfaces[i%len(surfaces)]},
			&outageRun{gateway: p.Name, outage: runner.FailingOutage, surface: surfaces[(i+1)%len(surfaces)]})
	}
	return all
}

func TestOutagesOfTheReferenceGateway(t *testing.T) {
	permitted := permittedBehaviours()
	if os.Getenv("GATECERT_ACCEPTANCE") != "" {
		permitted = everyPermittedBehaviour()
	}
	assertOutages(t, 6, append(outageMutants(), permitted...))
}
