package main

import (
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports/plain"
)

// lockedWriter lets the messages of workers, and those about them, come from several goroutines.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// printWorkers prints in one line how the workers of a fleet did in a measurement. Without a fleet it prints nothing. The page has a table.
func printWorkers(c *console, m load.Measurement) {
	if len(m.Workers) == 0 {
		return
	}
	var lag, within, begun time.Duration
	var hosts []string
	for _, w := range m.Workers {
		lag, within, begun = max(lag, w.Lag), max(within, w.Uncertainty), max(begun, w.Begun)
		if !slices.Contains(hosts, w.Host) {
			hosts = append(hosts, w.Host)
		}
	}
	fmt.Fprintf(c.out, "fleet     %s on %s; the p99 lag of each worker was at most %s; all workers started within %s of each other; each clock offset is known to within %s\n", plain.Count(len(m.Workers), "worker"),
		plain.Count(len(hosts), "machine"), plain.Time(lag), plain.Time(begun+2*within), plain.Time(within))
}

// notes are what the fleet has to say about the whole measurement: the phases that were run again. A nil team has nothing to say.
func (t *team) notes() []string {
	if t == nil || t.Fleet == nil {
		return nil
	}
	return t.Reruns()
}
