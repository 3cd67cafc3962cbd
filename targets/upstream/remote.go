package upstream

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
)

// Remote reads the attempts of a mock upstream in another process.
type Remote struct {
	// URL is the upstream's base URL: [Server.URL] of the other process.
	URL string
	// Token is the [Options.ControlToken] of the other process, or "" if there is none.
	Token string
	// Client sends the requests. nil means [http.DefaultClient].
	Client *http.Client
}

const (
	// remoteGrace is how long a request may take beyond the wait that it asks for.
	remoteGrace = 5 * time.Second
	// maxSeenBytes bounds a response: maxAttempts attempts of under 4 KiB each.
	maxSeenBytes = 4 << 20
)

// Seen is like [Upstream.Seen]. It returns an error if the upstream cannot be reached or is not a mock upstream.
func (m Remote) Seen(ctx context.Context, token string) (contract.Seen, error) {
	for {
		seen, err := m.seenOnce(ctx, token, waitLimit(ctx))
		switch {
		case err == nil && !slices.ContainsFunc(seen.Attempts, func(a contract.Attempt) bool { return a.Open }):
			return seen, nil
		case ctx.Err() != nil:
			// The time is up, which is not an error: the attempts that have not ended are marked Open.
			return m.seenOnce(context.WithoutCancel(ctx), token, 0)
		case err != nil:
			return contract.Seen{}, err
		}
	}
}

// waitLimit is how long the upstream may wait in one request.
func waitLimit(ctx context.Context) time.Duration {
	if deadline, ok := ctx.Deadline(); ok {
		return max(0, min(time.Until(deadline), maxSeenWait))
	}
	return maxSeenWait
}

func (m Remote) seenOnce(ctx context.Context, token string, wait time.Duration) (seen contract.Seen, err error) {
	ctx, cancel := context.WithTimeout(ctx, wait+remoteGrace)
	defer cancel()
	err = m.get(ctx, "seen/"+url.PathEscape(token)+"?wait="+url.QueryEscape(wait.String()), &seen)
	return seen, err
}

// OpenAttempts is like [Upstream.OpenAttempts]. It returns an error if the upstream cannot be reached or is not a mock upstream.
func (m Remote) OpenAttempts(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, remoteGrace)
	defer cancel()
	var status Status
	err := m.get(ctx, "status", &status)
	return status.Open, err
}

func (m Remote) get(ctx context.Context, path string, out any) error {
	address := strings.TrimSuffix(m.URL, "/") + controlPath + path
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fmt.Errorf("upstream: %w", err)
	}
	if m.Token != "" {
		req.Header.Set("Authorization", "Bearer "+m.Token)
	}
	resp, err := cmp.Or(m.Client, http.DefaultClient).Do(req)
	if err != nil {
		return fmt.Errorf("upstream: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden {
		return fmt.Errorf("mock upstream: %s from %s; set upstream.token to the mock upstream's token", resp.Status, address)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("mock upstream: %s from %s", resp.Status, address)
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxSeenBytes)).Decode(out); err != nil {
		return fmt.Errorf("mock upstream: read %s: %w", address, err)
	}
	return nil
}
