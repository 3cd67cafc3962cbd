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
