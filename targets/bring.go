package targets

import (
	"context"
	"fmt"
	"net/http"

	"github.com/gatecert/gatecert/contract"
)

// BringAbout brings a case about for somebody else's client: it gives do the request of the case, with the actions of its recipe
// done before and undone after. Where the case takes many calls until one is refused, they are made first, so that the next one is
// refused too.
//
// It returns [profile.ErrNotOffered] when the profile lacks what the case needs, the errors of actions, and the error of do.
func (s *Session) BringAbout(ctx context.Context, c contract.Case, do func(ctx context.Context, pr Request) error) error {
	pr, err := s.request(c, newToken())
	if err != nil {
		return err
	}
	return s.between(ctx, pr, func() error {
		if err := s.health.awaitTurn(ctx); err != nil {
			return err
		}
		if err := s.exhaust(ctx, c, pr); err != nil {
			return err
		}
		return do(ctx, pr)
	})
}

// RequestOf is the request of a case under a token of its own, for one more client while [Session.BringAbout] holds the
// circumstance.
func (s *Session) RequestOf(c contract.Case) (Request, error) { return s.request(c, newToken()) }

// exhaust makes the calls of a case until one is refused.
func (s *Session) exhaust(ctx context.Context, c contract.Case, pr Request) error {
	for sent := 0; sent < pr.Repeat && pr.Repeat > 1; sent++ {
		o, err := s.client.Do(ctx, pr.Call)
		if err != nil {
			return fmt.Errorf("send calls until one is refused: %w", err)
		}
		if o.Status == http.StatusTooManyRequests {
			return nil
		}
		if pr, err = s.request(c, newToken()); err != nil {
			return err
		}
	}
	return nil
}
