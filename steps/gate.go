package steps

import (
	"sync"
	"sync/atomic"
)

// gate lets cases run: so many at once as the gateway copes with, or one alone.
type gate struct {
	most int

	// served says that the last call of the cases was a healthy one, and succeeded. It is for cases that run one at a time.
	served atomic.Bool

	mu      sync.Mutex
	changed *sync.Cond
	inside  int
	// alone is set while a case runs alone, waiting counts those that are about to: no other case begins meanwhile.
	alone   bool
	waiting int
}

func newGate(most int) *gate {
	g := &gate{most: most}
	g.changed = sync.NewCond(&g.mu)
	return g
}

// enter waits until fewer cases run than atOnce permits, which may become less while it waits. It reports whether the
// gateway is fragile, as atOnce does. leave ends it.
func (g *gate) enter(atOnce func(most int) (n int, fragile bool)) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for {
		n, fragile := atOnce(g.most)
		if !g.alone && g.waiting == 0 && g.inside < n {
			g.inside++
			return fragile
		}
		g.changed.Wait()
	}
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	g.changed.Broadcast()
}

// enterAlone waits until no case runs, and keeps all others out until leaveAlone.
func (g *gate) enterAlone() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting++
	for g.alone || g.inside > 0 {
		g.changed.Wait()
	}
	g.waiting--
	g.alone = true
}

func (g *gate) leaveAlone() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.alone = false
	g.changed.Broadcast()
}
