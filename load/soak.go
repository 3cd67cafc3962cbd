package load

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/gatecert/gatecert/internal/wait"
)

// Soak configures a constant rate that is held for long, to find what drifts. Fields that are zero take their defaults.
type Soak struct {
	// Phase is run once. The soak sets its name, its rate and its length. Its windows are the points of the trends.
	Phase Phase
	// Rate, in requests/s, is held for For. Default 20/s for 1 min.
	Rate float64
	For  time.Duration
	// PID is the process of the gateway, on this machine. Its memory is sampled once per window. 0 samples none.
	PID int
	// WarmUp is the time at the beginning that the trends leave out. Default a tenth of For, at most 1 min.
	WarmUp time.Duration
}

// SoakResult is the result of a soak.
type SoakResult struct {
	Measurement Measurement
	// Trends are "p50", "p99", "errors" and "memory", as far as they could be computed.
	Trends []Trend
	Memory []MemorySample
	// MemoryError says why the memory could not be sampled.
	MemoryError error
}

func (s Soak) withDefaults() Soak {
	setDefault(&s.Rate, 20)
	setDefault(&s.For, time.Minute)
	setDefault(&s.WarmUp, min(s.For/10, time.Minute))
	s.Phase.Name, s.Phase.Rate, s.Phase.For = "soak", s.Rate, s.For
	return s
}

// CheckPID returns [ErrInvalid] when PID is set and the memory of that process cannot be read: there is no such process, or
// this system does not report it.
func (s Soak) CheckPID() error {
	if s.PID == 0 {
		return nil
	}
	if _, err := residentMemory(s.PID); err != nil {
		return fmt.Errorf("%w: process %d: %w", ErrInvalid, s.PID, err)
	}
	return nil
}

// PlanSoak returns what a soak will send. It returns [ErrInvalid].
func (e *Engine) PlanSoak(s Soak) (Plan, error) { return e.Plan(s.withDefaults().Phase) }

// Soak holds the rate and measures what drifts. It returns the errors of [Engine.Run], with what was found so far.
func (e *Engine) Soak(ctx context.Context, s Soak) (SoakResult, error) {
	s = s.withDefaults()
	var result SoakResult
	sampling, stop := context.WithCancel(ctx)
	sampled := make(chan struct{})
	go func() {
		defer close(sampled)
		if s.PID > 0 {
			result.Memory, result.MemoryError = sampleMemory(sampling, s.PID, s.Phase.withDefaults().Window)
		}
	}()
	m, err := e.Run(ctx, s.Phase)
	stop()
	<-sampled
	result.Measurement = m
	result.Trends = trendsOf(m.Windows, result.Memory, s.WarmUp)
	return result, err
}

// MemorySample is the resident memory of a process at an instant, counted from the first sample.
type MemorySample struct {
	At    time.Duration
	Bytes uint64
}

// errNoMemory is returned when the memory of a process cannot be read: there is no such process, or no /proc.
var errNoMemory = errors.New("the memory cannot be read")

// sampleMemory samples the resident memory of a process at an interval until ctx is done. From the 600th sample
// ([maxWindows]) on it doubles the interval and drops every second sample.
func sampleMemory(ctx context.Context, pid int, interval time.Duration) ([]MemorySample, error) {
	began := time.Now()
	var samples []MemorySample
	for {
		size, err := residentMemory(pid)
		if err != nil {
			return samples, err
		}
		if len(samples) == maxWindows {
			for i := range maxWindows / 2 {
				samples[i] = samples[2*i]
			}
			samples, interval = samples[:maxWindows/2], 2*interval
		}
		samples = append(samples, MemorySample{time.Since(began), size})
		if wait.For(ctx, interval) != nil {
			return samples, nil
		}
	}
}

// residentMemory returns the resident set size of a process in bytes.
func residentMemory(pid int) (uint64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errNoMemory, err)
	}
	_, after, found := bytes.Cut(status, []byte("VmRSS:"))
	if !found {
		return 0, fmt.Errorf("%w: process %d has ended", errNoMemory, pid)
	}
	kilobytes, _, _ := bytes.Cut(bytes.TrimSpace(after), []byte(" "))
	size, err := strconv.ParseUint(string(kilobytes), 10, 54)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errNoMemory, err)
	}
	return size << 10, nil
}
