package exchange

import (
	"context"
	"time"

	"github.com/gatecert/gatecert/contract"
)

// Made is a call that was made. Its instants are by this machine's clock, and off by no more than Within to either side where another
// machine has made it.
type Made struct {
	Began, Ended time.Time
	Within       time.Duration
	Observation  contract.Observation
}

// Caller makes a call. Several goroutines call it at the same time. It returns the errors of [Client.Do].
type Caller func(ctx context.Context, c Call) (Made, error)

// Make is a [Caller] that makes calls in this process.
func (c *Client) Make(ctx context.Context, call Call) (Made, error) {
	made := Made{Began: time.Now()}
	var err error
	made.Observation, err = c.Do(ctx, call)
	made.Ended = time.Now()
	return made, err
}
