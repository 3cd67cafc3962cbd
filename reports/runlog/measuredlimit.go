package runlog

import "time"

// MeasuredExperiment is one experiment of the inference of a rate limit.
type MeasuredExperiment struct {
	Type string `json:"type"` // "experiment"
	Link
	Name string `json:"name"`
	// Text says what was done and what came of it.
	Text string `json:"text"`
	// Start is when it began, after the start of the run, Took how long it lasted, its waits included.
	Start time.Duration `json:"start_ns"`
	Took  time.Duration `json:"took_ns"`
	// Calls is how many calls it made. Answers are those of the first [MaxAnswers].
	Calls   int              `json:"calls"`
	Answers []MeasuredAnswer `json:"answers,omitempty"`
}

// MaxAnswers bounds the answers of an experiment that a log has: 20,000 take less than the 4 MiB of a line.
const MaxAnswers = 20_000

// MeasuredAnswer is what came of a call. The limiter decided about it between Sent and Answered, both after the start of the run.
type MeasuredAnswer struct {
	Sent     time.Duration `json:"sent_ns"`
	Answered time.Duration `json:"answered_ns"`
	// Outcome is [Refused] for every status that counts as a refusal, which may be more than 429.
	Outcome Outcome `json:"outcome"`
	// Status is 0 if there was no response.
	Status int `json:"status,omitempty"`
	// ByOther says that the call was made with the other key, or from the other address.
	ByOther bool `json:"by_other,omitempty"`
}

// FoundLimiter is the rate limit that an inference found.
type FoundLimiter struct {
	// Kind is "none" for a gateway that refused nothing, and "" where no kind is clear. The numbers are then those of the closest model.
	Kind string `json:"kind"`
	// Limit is the number of calls in a window, or of those in flight. Of a token bucket it is the capacity.
	Limit int `json:"limit,omitempty"`
	// Window is the length of the window; of a token bucket, the time in which Limit tokens are refilled.
	Window time.Duration `json:"window_ns,omitempty"`
	// Refill is in tokens per second, Step how many tokens a bucket gets at a time, 0 for one.
	Refill float64 `json:"refill,omitempty"`
	Step   int     `json:"step,omitempty"`
	// StartsOnRequest says that a window begins with a call, not at an instant of a clock.
	StartsOnRequest bool `json:"starts_on_request,omitempty"`
	// The ranges are what the answers do not exclude; nil for a parameter that the kind does not have.
	LimitRange  *Range `json:"limit_range,omitempty"`
	WindowRange *Range `json:"window_range_ns,omitempty"`
	RefillRange *Range `json:"refill_range,omitempty"`
	// Addresses and Keys say whether two addresses, and two keys, share the limit: "shared", "apart" or "unclear"; "" where that was not
	// asked.
	Addresses string `json:"addresses,omitempty"`
	Keys      string `json:"keys,omitempty"`
	// Scope is that in words.
	Scope string `json:"scope,omitempty"`
	// Evidence is what the result rests on, one sentence each.
	Evidence []string `json:"evidence,omitempty"`
}

// EvidenceBesides leaves out of the evidence of a limit what its experiments say, for a report that shows these by themselves. It keeps
// how well each kind of limiter explains the answers, and what the announced headers say.
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

// Range is an interval, both ends included.
type Range struct {
	From float64 `json:"from"`
	To   float64 `json:"to"`
}
