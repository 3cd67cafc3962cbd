package steps

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// The number of cases at once follows what the gateway copes with, and a case that runs alone has no other at the same time.
func TestGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(4)
		var copes, inside, most, fragile atomic.Int64
		copes.Store(4)
		atOnce := func(most int) (int, bool) { return min(most, int(copes.Load())), copes.Load() < 4 }
		run := func() {
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					if g.enter(atOnce) {
						fragile.Add(1)
					}
					most.Store(max(most.Load(), inside.Add(1)))
					time.Sleep(time.Second)
					inside.Add(-1)
					g.leave()
				})
			}
			wg.Go(func() {
				time.Sleep(time.Second / 2)
				g.enterAlone()
				assert.Zero(t, inside.Load(), "beside one that runs alone")
				time.Sleep(time.Second)
				assert.Zero(t, inside.Load(), "beside one that runs alone")
				g.leaveAlone()
			})
			wg.Wait()
		}
		run()
		assert.Equal(t, int64(4), most.Load())
		assert.Zero(t, fragile.Load())

		copes.Store(2)
		most.Store(0)
		run()
		assert.Equal(t, int64(2), most.Load())
		assert.Equal(t, int64(8), fragile.Load())
	})
}
