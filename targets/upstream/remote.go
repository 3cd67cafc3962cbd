package upstream

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
)

// Remote asks an upstream in another process what it saw.
type Remote struct {
	// URL is the upstream's base URL, [Server.URL] over there.
	URL string
	// Client sends the questions. nil means [http.DefaultClient].
	Client *http.Client
}

const (
	// remoteGrace is what a question may take beyond the wait it asks for.
	remoteGrace = 5 * time.Second
	// maxSeenBytes bounds an answer: maxAttempts attempts of under 4 KiB each.
	maxSeenBytes = 4 << 20
)

// Seen does what [Upstream.Seen] does. It fails when the upstream cannot be reached or answers something else.
func (m Remote) Seen(ctx context.Context, token string) (contract.Seen, error) {
	for {
		seen, err := m.ask(ctx, token, waitFor(ctx))
		switch {
		case err == nil && !anyOpen(seen):
			return seen, nil
		case ctx.Err() != nil:
			// Time is up, which is no error: one last look, and what goes on is marked Open.
			return m.ask(context.WithoutCancel(ctx), token, 0)
		case err != nil:
			return contract.Seen{}, err
		}
	}
}

// waitFor is how long one question may wait over there.
func waitFor(ctx context.Context) time.Duration {
	if deadline, ok := ctx.Deadline(); ok {
		return max(0, min(time.Until(deadline), maxSeenWait))
	}
	return maxSeenWait
}

func (m Remote) ask(ctx context.Context, token string, wait time.Duration) (seen contract.Seen, err error) {
	ctx, cancel := context.WithTimeout(ctx, wait+remoteGrace)
	defer cancel()
	err = m.get(ctx, "seen/"+url.PathEscape(token)+"?wait="+url.QueryEscape(wait.String()), &seen)
	return seen, err
}

// UnderWay does what [Upstream.UnderWay] does. It fails when the upstream cannot be reached or answers something else.
func (m Remote) UnderWay(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, remoteGrace)
	defer cancel()
	var status Status
	err := m.get(ctx, "status", &status)
	return status.UnderWay, err
}

// get reads one answer of the other upstream's control.
func (m Remote) get(ctx context.Context, question string, answer any) error {
	address := strings.TrimSuffix(m.URL, "/") + controlPath + question
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fmt.Errorf("upstream: %w", err)
	}
	client := m.Client
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("upstream: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("upstream: %s from %s", resp.Status, address)
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxSeenBytes)).Decode(answer); err != nil {
		return fmt.Errorf("upstream: reading %s: %w", address, err)
	}
	return nil
}

func anyOpen(seen contract.Seen) bool {
	for _, a := range seen.Attempts {
		if a.Open {
			return true
		}
	}
	return false
}
