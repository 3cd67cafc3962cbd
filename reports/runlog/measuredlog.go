package runlog

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
)

// MeasuredWriter appends the events of a measurement to a log. It is safe for concurrent use, and writes in the same way as [Writer].
type MeasuredWriter struct {
	mu sync.Mutex
	lines
}

// NewMeasuredWriter returns a writer that writes a new log to w. It does not close w.
func NewMeasuredWriter(w io.Writer) *MeasuredWriter { return &MeasuredWriter{lines: lines{w: w}} }

// Header writes the first event. It sets the type and the schema.
func (w *MeasuredWriter) Header(h MeasuredHeader) error {
	h.Type, h.Schema = "header", MeasuredSchema
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.header(h, h.RunID)
}

// Point writes a probe.
func (w *MeasuredWriter) Point(p Point) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	p.Type, p.Link = "point", w.link
	return w.append(p)
}

// Window writes a window.
func (w *MeasuredWriter) Window(x MeasuredWindow) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	x.Type, x.Link = "window", w.link
	return w.append(x)
}

// Metric writes a distribution. A later distribution of the same metric, request and outcome replaces it, so that a long measurement can write its
// results so far.
func (w *MeasuredWriter) Metric(m Metric) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	m.Type, m.Link = "metric", w.link
	return w.append(m)
}

// Experiment writes an experiment of an inference.
func (w *MeasuredWriter) Experiment(e MeasuredExperiment) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	e.Type, e.Link = "experiment", w.link
	return w.append(e)
}

// Footer writes the last event.
func (w *MeasuredWriter) Footer(f MeasuredFooter) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	f.Type, f.Link = "footer", w.link
	return w.footer(f)
}

// Measured writes a whole measurement. If the measurement has no footer, it writes none.
func (w *MeasuredWriter) Measured(m Measured) error {
	err := w.Header(m.MeasuredHeader)
	for _, p := range m.Points {
		err = errors.Join(err, w.Point(p))
	}
	for _, x := range m.Windows {
		err = errors.Join(err, w.Window(x))
	}
	for _, x := range m.Metrics {
		err = errors.Join(err, w.Metric(x))
	}
	for _, e := range m.Experiments {
		err = errors.Join(err, w.Experiment(e))
	}
	if m.Footer != nil {
		err = errors.Join(err, w.Footer(*m.Footer))
	}
	return err
}

// The limits for the log of a measurement.
const (
	maxMeasuredLine = 4 << 20   // bytes of one event
	maxMeasuredLog  = 128 << 20 // bytes
	// maxPoints, maxMeasuredWindows and maxMetrics bound the events of each type that are kept.
	maxPoints          = 2_000
	maxMeasuredWindows = 5_000
	maxMetrics         = 2_000
	maxExperiments     = 100
	// maxBarCount bounds the values of one bar, so that no sum of them overflows.
	maxBarCount = 1 << 40
)

// ReadMeasured reads the log of a measurement. If a crash truncated the last line, it ignores that line and sets Torn. Like [Read], it returns
// [ErrNoHeader], [ErrSchema] or [ErrMalformed].
func ReadMeasured(r io.Reader) (Measured, error) {
	reader := measuredReader{metrics: map[string]int{}}
	torn, err := readEvents(r, &reader, bounds{maxMeasuredLine, maxMeasuredLog})
	if err != nil {
		return Measured{}, err
	}
	reader.m.Torn = torn
	return reader.m, nil
}

type measuredReader struct {
	m       Measured
	opened  bool
	metrics map[string]int // places in m.Metrics
}

func (r *measuredReader) begun() bool { return r.opened }

func (r *measuredReader) ended() bool { return r.m.Footer != nil }

func (r *measuredReader) event(line []byte) error {
	kind, err := typeOf(line, r, MeasuredSchema, "measure again")
	if err != nil {
		return err
	}
	switch kind {
	case "header":
		r.opened = true
		return json.Unmarshal(line, &r.m.MeasuredHeader)
	case "point":
		return appendEvent(&r.m.Points, line, maxPoints)
	case "window":
		return appendEvent(&r.m.Windows, line, maxMeasuredWindows)
	case "metric":
		return r.metric(line)
	case "experiment":
		if err := appendEvent(&r.m.Experiments, line, maxExperiments); err != nil {
			return err
		}
		if n := len(r.m.Experiments[len(r.m.Experiments)-1].Answers); n > MaxAnswers {
			return fmt.Errorf("the answers field of an experiment has %d entries, but at most %d are allowed", n, MaxAnswers)
		}
		return nil
	case "footer":
		r.m.Footer = new(MeasuredFooter)
		return json.Unmarshal(line, r.m.Footer)
	default:
		return fmt.Errorf("unknown event type %.20q", kind)
	}
}

func (r *measuredReader) metric(line []byte) error {
	var m Metric
	if err := json.Unmarshal(line, &m); err != nil {
		return err
	}
	last := int64(-1)
	for _, b := range m.Bars {
		if b[0] <= last || b[1] < 0 || b[1] > maxBarCount {
			return fmt.Errorf("the histogram bars of metric %.20q are not in ascending order, or a bar's count is not between 0 and %d", m.Metric, int64(maxBarCount))
		}
		last = b[0]
	}
	key := fmt.Sprintf("%q %q %q", m.Metric, m.Request, m.Outcome)
	if i, occurred := r.metrics[key]; occurred {
		r.m.Metrics[i] = m
		return nil
	}
	if len(r.m.Metrics) == maxMetrics {
		return fmt.Errorf("the log has more than %d metrics", maxMetrics)
	}
	r.metrics[key] = len(r.m.Metrics)
	r.m.Metrics = append(r.m.Metrics, m)
	return nil
}

// appendEvent reads one event and keeps it, up to a number of them.
func appendEvent[T any](list *[]T, line []byte, most int) error {
	var event T
	if err := json.Unmarshal(line, &event); err != nil {
		return err
	}
	if len(*list) == most {
		return fmt.Errorf("the log has more than %d events of one type", most)
	}
	*list = append(*list, event)
	return nil
}

// SchemaOf returns the schema of a log. It reads only the first line. If the input is not a log, it returns [ErrNoHeader].
func SchemaOf(r io.Reader) (string, error) {
	line, _, err := readLine(bufio.NewReaderSize(r, 64<<10), maxHeader)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoHeader, err)
	}
	var head struct {
		Type   string `json:"type"`
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(line, &head); err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoHeader, err)
	}
	if head.Type != "header" {
		return "", fmt.Errorf("%w: the log begins with a %.20q event", ErrNoHeader, head.Type)
	}
	return head.Schema, nil
}
