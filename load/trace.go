package load

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits for a trace. The trace file is not trusted.
const (
	maxTrace     = 1_000_000 // requests
	maxTraceLine = 1 << 20   // bytes
)

// ReadTrace reads recorded arrivals, one request per line, and returns them as a process with the recorded gaps, scaled
// to any rate. A line is one of:
//
//	12.345                                   seconds since any instant
//	{"timestamp": 12345, …}                  milliseconds since any instant, as in Mooncake's traces
//	2023-11-16 18:15:46.6805900,374,44       a date and time, as in Azure's traces; further columns are ignored
//
// Empty lines, comments (#), and a first line that is a header are skipped. Requests need not be in order. At most a million
// are read. It returns [ErrInvalid] for anything else, and the errors of r.
func ReadTrace(name string, r io.Reader) (Arrivals, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxTraceLine)
	var at []float64
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		seconds, ok := instantOf(text)
		switch {
		case ok && len(at) == maxTrace:
			return Arrivals{}, fmt.Errorf("%w: the trace has more than %d requests", ErrInvalid, maxTrace)
		case ok:
			at = append(at, seconds)
		case n > 1:
			return Arrivals{}, fmt.Errorf("%w: line %d of the trace does not contain a valid time: use a number of seconds, JSON with a timestamp in milliseconds, or a date and time", ErrInvalid, n)
		}
	}
	if err := lines.Err(); err != nil {
		return Arrivals{}, fmt.Errorf("read the trace: %w", err)
	}
	slices.Sort(at)
	if len(at) < 2 || at[0] == at[len(at)-1] {
		return Arrivals{}, fmt.Errorf("%w: the trace must contain at least 2 distinct request times, but contains %d", ErrInvalid, min(len(at), 1))
	}
	mean := (at[len(at)-1] - at[0]) / float64(len(at)-1)
	gaps := make([]float64, len(at)-1)
	for i := range gaps {
		gaps[i] = (at[i+1] - at[i]) / mean
	}
	return Arrivals{trace: gaps, name: "trace " + name}, nil
}

// instantOf reads the instant of a line, in seconds.
func instantOf(line string) (float64, bool) {
	if strings.HasPrefix(line, "{") {
		var record struct {
			Timestamp *float64 `json:"timestamp"`
		}
		if json.Unmarshal([]byte(line), &record) != nil || record.Timestamp == nil {
			return 0, false
		}
		return *record.Timestamp / 1000, true
	}
	first, _, _ := strings.Cut(line, ",")
	first = strings.TrimSpace(first)
	if seconds, err := strconv.ParseFloat(first, 64); err == nil {
		return seconds, seconds-seconds == 0 // neither infinite nor NaN
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00"} {
		if t, err := time.Parse(layout, first); err == nil {
			return float64(t.UnixNano()) / 1e9, true
		}
	}
	return 0, false
}
