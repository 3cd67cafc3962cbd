package runlog

import "time"

// LoadSummary is what was sent under load and what came of it, small enough for a run's log: its size is bounded by
// [MaxSpans], whatever was sent.
type LoadSummary struct {
	// Sentence says in one line what was done: "40 healthy calls a second, 1 in 5 of them beside a provider that hangs".
	Sentence string `json:"sentence"`
	// Limiter is the limiter that explains the answers, "" where none was looked for.
	Limiter string        `json:"limiter,omitempty"`
	Took    time.Duration `json:"took_ns"`
	// Calls are all that were made.
	Calls  int     `json:"calls"`
	Checks []Check `json:"checks"`
	// Phases are the parts of the load in the order in which they were played.
	Phases []Phase `json:"phases,omitempty"`
	// Spans is the course of the load, in stretches of equal length.
	Spans []Span `json:"spans,omitempty"`
	// Times are the distributions that were compared.
	Times []Times `json:"times,omitempty"`
}

// MaxSpans bounds the spans of an account.
const MaxSpans = 240

// Phase is a part of a load.
type Phase struct {
	Name string        `json:"name"`
	From time.Duration `json:"from_ns"`
	To   time.Duration `json:"to_ns"`
}

// Span is a stretch of a load. Calls belong to the span in which they ended.
type Span struct {
	At    time.Duration `json:"at_ns"`
	Lasts time.Duration `json:"lasts_ns"`
	// Counts are the calls by outcome, by part: "limited key", "other key", "healthy", "hanging".
	Counts map[string]map[Outcome]int `json:"counts"`
	// P50 and P99 are quantiles of the healthy calls' service time, 0 where there were none.
	P50 time.Duration `json:"p50_ns,omitempty"`
	P99 time.Duration `json:"p99_ns,omitempty"`
}

// Add counts a call of a part.
func (s *Span) Add(part string, outcome Outcome) {
	if s.Counts == nil {
		s.Counts = make(map[string]map[Outcome]int)
	}
	if s.Counts[part] == nil {
		s.Counts[part] = make(map[Outcome]int)
	}
	s.Counts[part][outcome]++
}

// Times is a distribution of service times.
type Times struct {
	Name  string        `json:"name"`
	Count int           `json:"count"`
	P50   time.Duration `json:"p50_ns"`
	P90   time.Duration `json:"p90_ns"`
	P99   time.Duration `json:"p99_ns"`
	Max   time.Duration `json:"max_ns"`
	// Bound is the longest that P50 may be, 0 for none: twice the baseline, say.
	Bound time.Duration `json:"bound_ns,omitempty"`
}
