package runlog

// Outcome is the class of what came of one shot. Every class has times of its own: a fast refusal and a slow answer
// in one distribution describe neither (vegeta's digest puts the 95th percentile of 95 % refusals of 1 ms and 5 %
// answers of 801 ms at 378 ms).
type Outcome string

// The outcomes. Those from [LocalError] on are no evidence about the gateway.
const (
	Admitted       Outcome = "admitted"  // a whole, healthy answer
	Refused        Outcome = "refused"   // 429, whatever else is right or wrong about it
	Error4xx       Outcome = "error-4xx" // any other 4xx
	Error5xx       Outcome = "error-5xx" // 5xx, or an error event in a stream that had begun
	Timeout        Outcome = "timeout"   // no whole answer within the stage's own patience
	TransportError Outcome = "broken"    // no connection, a transfer that broke off, or no HTTP
	Wrong          Outcome = "wrong"     // a 2xx or 3xx that is no answer
	LocalError     Outcome = "client"    // this machine could not send: no descriptor, no port, no memory
	Abandoned      Outcome = "abandoned" // cut short because the caller of Fire gave up
)

// Outcomes returns all outcomes, those about the gateway first.
func Outcomes() []Outcome {
	return []Outcome{Admitted, Refused, Error4xx, Error5xx, Timeout, TransportError, Wrong, LocalError, Abandoned}
}

// OfGateway reports whether the outcome says something about the gateway.
func (o Outcome) OfGateway() bool { return o != LocalError && o != Abandoned }

// Failed reports whether the gateway did not do what it was asked, for whatever reason.
func (o Outcome) Failed() bool { return o != Admitted && o.OfGateway() }
