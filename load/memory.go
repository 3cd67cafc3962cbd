package load

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"
)

// errNoMemory is returned when a process' memory cannot be read here: on other systems than Linux, or when there is
// no such process.
var errNoMemory = errors.New("the memory cannot be read")

// watchMemory reads a process' resident memory once an interval until stop is closed, at most maxWindows times; then
// it reads at double intervals and keeps every second reading.
func watchMemory(pid int, every time.Duration, stop <-chan struct{}) ([]MemorySample, error) {
	began := time.Now()
	var readings []MemorySample
	for {
		size, err := residentMemory(pid)
		if err != nil {
			return readings, err
		}
		if len(readings) == maxWindows {
			for i := range maxWindows / 2 {
				readings[i] = readings[2*i]
			}
			readings, every = readings[:maxWindows/2], 2*every
		}
		readings = append(readings, MemorySample{time.Since(began), size})
		timer := time.NewTimer(every)
		select {
		case <-timer.C:
		case <-stop:
			timer.Stop()
			return readings, nil
		}
	}
}

// residentMemory is the resident set of a process in bytes.
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
