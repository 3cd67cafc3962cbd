package load

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/gatecert/gatecert/internal/wait"
)

// ProcessSample is the resident memory of a process and the number of its open descriptors at an instant. The instant is relative to the first
// sample.
type ProcessSample struct {
	At    time.Duration
	Bytes uint64
	// Descriptors is -1 if they cannot be read, as for another user's process.
	Descriptors int
}

// errNoMemory is returned when the memory of a process cannot be read: there is no such process, or no /proc.
var errNoMemory = errors.New("cannot read the memory usage")

// processSampler samples a process. It is safe for concurrent use.
type processSampler struct {
	pid      int
	interval time.Duration

	mu      sync.Mutex
	samples []ProcessSample
	err     error
}

// soFar returns a copy of the samples, and why there are no more.
func (s *processSampler) soFar() ([]ProcessSample, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.samples), s.err
}

// run samples until ctx is done, or the process has ended. Without a process it does nothing.
func (s *processSampler) run(ctx context.Context) {
	if s.pid == 0 {
		return
	}
	began := time.Now()
	for interval := s.interval; ; {
		size, err := residentMemory(s.pid)
		if err != nil {
			s.mu.Lock()
			s.err = err
			s.mu.Unlock()
			return
		}
		interval = s.add(ProcessSample{time.Since(began), size, openDescriptors(s.pid)}, interval)
		if wait.For(ctx, interval) != nil {
			return
		}
	}
}

// add adds a sample and returns the interval to the next. From the 600th sample ([maxWindows]) on it doubles the interval and
// drops every second sample.
func (s *processSampler) add(sample ProcessSample, interval time.Duration) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.samples) == maxWindows {
		for i := range maxWindows / 2 {
			s.samples[i] = s.samples[2*i]
		}
		s.samples, interval = s.samples[:maxWindows/2], 2*interval
	}
	s.samples = append(s.samples, sample)
	return interval
}

// residentMemory returns the resident set size of a process in bytes.
func residentMemory(pid int) (uint64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, fmt.Errorf("%w: the process does not exist on this machine, or the system has no /proc: %w", errNoMemory, err)
	case err != nil:
		return 0, fmt.Errorf("%w: %w", errNoMemory, err)
	}
	_, after, found := bytes.Cut(status, []byte("VmRSS:"))
	if !found {
		return 0, fmt.Errorf("%w: process %d has exited", errNoMemory, pid)
	}
	kilobytes, _, _ := bytes.Cut(bytes.TrimSpace(after), []byte(" "))
	size, err := strconv.ParseUint(string(kilobytes), 10, 54)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errNoMemory, err)
	}
	return size << 10, nil
}

// openDescriptors returns how many descriptors a process has open, -1 when that cannot be read.
func openDescriptors(pid int) int {
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return -1
	}
	return len(entries)
}
