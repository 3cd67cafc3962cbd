// Package static drives a gateway that was set up manually. Everything about the gateway is in the profile.
package static

import (
	"context"
	"fmt"

	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
	"github.com/gatecert/gatecert/targets/upstream"
)

// Driver implements [targets.Driver]. It serves the mock upstream if the profile has one, and prepares nothing else.
type Driver struct{}

var _ targets.Driver = Driver{}

// Prepare implements [targets.Driver]. It returns an error if it cannot listen on upstream.listen, or if the profile's certificate authorities cannot
// be read.
func (Driver) Prepare(ctx context.Context, p profile.Profile) (targets.Prepared, error) {
	roots, err := p.TLS.Roots()
	if err != nil {
		return targets.Prepared{}, err
	}
	prepared := targets.Prepared{Profile: p, Roots: roots, Close: func(context.Context) error { return nil }}
	switch {
	case p.Upstream.Attach != "":
		prepared.Upstream = upstream.Remote{URL: p.Upstream.Attach, Token: p.Upstream.Token}
	case p.Upstream.Listen != "":
		mock := upstream.New(upstream.Options{Keys: p.Upstream.Keys})
		server, err := upstream.Listen(ctx, p.Upstream.Listen, mock)
		if err != nil {
			return prepared, fmt.Errorf("start the mock upstream at %s: %w", p.Upstream.Listen, err)
		}
		prepared.Upstream = mock
		prepared.Close = func(context.Context) error { return server.Close() }
	}
	return prepared, nil
}
