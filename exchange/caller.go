package exchange

import (
	"context"
	"time"

	"github.com/gatecert/gatecert/contract"
)

// Made is the record of a call. Its instants are by this machine's clock. If another machine made the call, they may be off by up to Within in either
// direction.
type Made struct {
	Began, Ended time.Time
	Within       time.Duration
	Observation  contract.Observation
}

// Caller makes a call. It must be safe for concurrent use. It returns the errors of [Client.Do].
type Caller func(ctx context.Context, c Call) (Made, error)

// Make is a [Caller] that makes calls in this process.
func (c *Client) Make(ctx context.Context, call Call) (Made, error) {
	made := Made{Began: time.Now()}
	var err error
	made.Observation, err = c.Do(ctx, call)
	made.Ended = time.Now()
	return made, err
}
