package runlog

import "time"

// MeasuredExperiment is one experiment of the inference of a rate limit.
type MeasuredExperiment struct {
	Type string `json:"type"` // "experiment"
	Link
	Name string `json:"name"`
	// Text describes the experiment and its result.
	Text string `json:"text"`
	// Start is when the experiment began, counted from the start of the run. Took is how long it lasted, including its waits.
	Start time.Duration `json:"start_ns"`
	Took  time.Duration `json:"took_ns"`
	// Calls is the number of calls that the experiment made. Answers are the responses to the first [MaxAnswers] calls.
	Calls   int              `json:"calls"`
	Answers []MeasuredAnswer `json:"answers,omitempty"`
}

// MaxAnswers is the maximum number of responses of an experiment in a log: 20,000 take less than the 4 MiB of a line.
const MaxAnswers = 20_000

// MeasuredAnswer is the outcome of a call. The limiter decided about the call between Sent and Answered; both are counted from the start of the run.
type MeasuredAnswer struct {
	Sent     time.Duration `json:"sent_ns"`
	Answered time.Duration `json:"answered_ns"`
	// Outcome is [Refused] for every status that counts as a refusal, which may include statuses other than 429.
	Outcome Outcome `json:"outcome"`
	// Status is 0 if there was no response.
	Status int `json:"status,omitempty"`
	// ByOther means that the call was made with the other key, or from the other address.
	ByOther bool `json:"by_other,omitempty"`
}

// FoundLimiter is the rate limit that an inference found.
type FoundLimiter struct {
	// Kind is "none" for a gateway that refused nothing, and "" if no kind is certain. The numbers are then those of the closest model.
	Kind string `json:"kind"`
	// Limit is the number of calls in a window or in flight. For a token bucket, it is the capacity.
	Limit int `json:"limit,omitempty"`
	// Window is the length of the window. For a token bucket, it is the time in which Limit tokens are refilled.
	Window time.Duration `json:"window_ns,omitempty"`
	// Refill is in tokens per second. Step is how many tokens a bucket receives at a time; 0 means one.
	Refill float64 `json:"refill,omitempty"`
	Step   int     `json:"step,omitempty"`
	// StartsOnRequest means that a window begins with a call instead of at an instant of a clock.
	StartsOnRequest bool `json:"starts_on_request,omitempty"`
	// The ranges contain the values that the responses do not exclude. A range is nil if the kind does not have the parameter.
	LimitRange  *Range `json:"limit_range,omitempty"`
	WindowRange *Range `json:"window_range_ns,omitempty"`
	RefillRange *Range `json:"refill_range,omitempty"`
	// Addresses and Keys state whether two addresses, and two keys, share the limit: "shared", "apart" or "unclear". They are "" if this was not
	// tested.
	Addresses string `json:"addresses,omitempty"`
	Keys      string `json:"keys,omitempty"`
	// Scope describes the same in words.
	Scope string `json:"scope,omitempty"`
	// Evidence contains the evidence for the result, one sentence each.
	Evidence []string `json:"evidence,omitempty"`
}

// EvidenceBesides returns the evidence for a limit without the sentences of its experiments, for a report that shows the experiments separately. The
// rest states how well each kind of limiter explains the responses, and what the announced header fields state.
func EvidenceBesides(experiments []MeasuredExperiment, evidence []string) []string {
	shown := map[string]bool{}
	for _, e := range experiments {
		shown[e.Name+": "+e.Text] = true
	}
	var list []string
	for _, sentence := range evidence {
		if !shown[sentence] {
			list = append(list, sentence)
		}
	}
	return list
}

// Range is an interval that includes both ends.
type Range struct {
	From float64 `json:"from"`
	To   float64 `json:"to"`
}
