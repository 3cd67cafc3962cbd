package wait_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/gatecert/gatecert/internal/wait"
)

func TestFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		assert.NoError(t, wait.For(t.Context(), time.Minute))
		assert.Equal(t, time.Minute, time.Since(began))
		assert.NoError(t, wait.For(t.Context(), -time.Minute))
		assert.Equal(t, time.Minute, time.Since(began), "a wait of less than nothing is over at once")
	})
}

func TestForEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, cause := time.Now(), errors.New("the user left")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(cause) })
		assert.ErrorIs(t, wait.For(ctx, time.Minute), cause)
		assert.Equal(t, time.Second, time.Since(began))
		assert.ErrorIs(t, wait.For(ctx, 0), cause, "also when there is nothing to wait for")
	})
}
