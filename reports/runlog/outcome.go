package runlog

// Outcome is the class of one load request's result. Latency is measured per class: a fast refusal and a slow success in
// one distribution describe neither (vegeta's digest puts the 95th percentile of 95 % refusals of 1 ms and 5 % successes
// of 801 ms at 378 ms).
type Outcome string

// The outcomes. Those from [LocalError] on are no evidence about the gateway.
const (
	Admitted       Outcome = "admitted"        // a complete, healthy response
	Refused        Outcome = "refused"         // 429, whatever else is right or wrong about it
	Error4xx       Outcome = "error-4xx"       // any other 4xx
	Error5xx       Outcome = "error-5xx"       // 5xx, or an error event in a stream that had begun
	Timeout        Outcome = "timeout"         // no complete response within the client's time limit
	TransportError Outcome = "transport-error" // no connection, an interrupted transfer, or no HTTP
	Wrong          Outcome = "wrong"           // a 2xx or 3xx that is not a valid response
	LocalError     Outcome = "local-error"     // this machine could not send: out of file descriptors, ports or memory
	Abandoned      Outcome = "abandoned"       // cut short because the attack was cancelled
	Disconnected   Outcome = "disconnected"    // the client disconnected on purpose: that is what the request tests
)

// Outcomes returns the outcomes that the load engine counts, those about the gateway first.
func Outcomes() []Outcome {
	return []Outcome{Admitted, Refused, Error4xx, Error5xx, Timeout, TransportError, Wrong, LocalError, Abandoned}
}

// OfGateway reports whether the outcome is evidence about the gateway.
func (o Outcome) OfGateway() bool { return o != LocalError && o != Abandoned && o != Disconnected }

// Failed reports whether the gateway did not do what it was asked, for whatever reason.
func (o Outcome) Failed() bool { return o != Admitted && o.OfGateway() }
