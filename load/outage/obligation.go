package outage

import "github.com/gatecert/gatecert/contract"

// The obligations while a provider goes wrong, besides those that [contract.Judge] looks at in every answer to a sick call,
// and besides [contract.UpstreamFreed] and [contract.RetriesBounded], which are looked at in every sick call here too.
//
// Two are MUSTs: to keep the time limit that the target itself declares, and not to answer a healthy call with an error -
// a 5xx is stated to be an upstream's or a gateway's error, and there was none. The others are effects, hence SHOULDs.
const (
	InTime        contract.Requirement = "in-time"        // a hung call is answered at the declared limit, neither before nor long after
	HealthyServed contract.Requirement = "healthy-served" // healthy calls beside sick ones succeed
	HealthySpared contract.Requirement = "healthy-spared" // … and take about as long as they always did
	NothingLeft   contract.Requirement = "nothing-left"   // afterwards as few calls are under way at the provider as before
	Recovery      contract.Requirement = "recovery"       // once the provider is well, so is the gateway, and stays so
	Departure     contract.Requirement = "departure"      // a caller that leaves is passed on: the provider's call is cancelled
)

// Obligations returns the obligations of this package.
func Obligations() []contract.Requirement {
	return []contract.Requirement{InTime, HealthyServed, HealthySpared, NothingLeft, Recovery, Departure}
}
