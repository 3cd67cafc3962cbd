package upstream

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
)

// An error is recorded as it was sent; a healthy answer and an empty one have none.
func TestErrorsAreRecorded(t *testing.T) {
	onEach(t, every, func(t *testing.T, b bench, e endpoint) {
		for i, directive := range []string{"status=500 body=error", "status=502 body=html", "status=200 body=null"} {
			token := fmt.Sprintf("told-%s-%d", e.name, i)
			got := b.ask(e, fmt.Sprintf("[[gatecert token=%s %s]]", token, directive))
			assert.Equal(t, got.body, b.seen(token).Error, directive)
		}
		for i, directive := range []string{"", "status=503 body=empty", "status=200 body=empty"} {
			token := fmt.Sprintf("silent-%s-%d", e.name, i)
			b.ask(e, fmt.Sprintf("[[gatecert token=%s %s]]", token, directive))
			assert.Empty(t, b.seen(token).Error, directive)
		}
	})
	onEach(t, streamed, func(t *testing.T, b bench, e endpoint) {
		got := b.ask(e, "[[gatecert token=event-"+e.name+" error-after=1]]")
		told := b.seen("event-" + e.name).Error
		assert.NotEmpty(t, told)
		assert.Contains(t, got.body, told)
	})
}
