package targets

// The calls with which a run finds out what is wrong before its first case.

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
)

// HealthyAt makes the healthy call of a surface at a root other than the profile's.
func (s *Session) HealthyAt(ctx context.Context, surface dialect.Surface, root string) (o contract.Observation, ok bool, err error) {
	call := HealthyCall(s.Profile, surface, newToken())
	call.BaseURL, call.Shown.BaseURL = root, ""
	if o, err = s.paced(ctx, call); err != nil {
		return o, false, err
	}
	ok, _ = contract.IsSuccess(surface, o)
	return o, ok, nil
}

// ListModels requests the list of models, which costs nothing. It returns the names in the order of the response, or nil if the gateway does not
// provide such a list. Of a long response, it reads only the captured part.
func (s *Session) ListModels(ctx context.Context) ([]string, error) {
	call := HealthyCall(s.Profile, dialect.Models, newToken())
	call.Path = dialect.Models.ListPath()
	o, err := s.paced(ctx, call)
	if err != nil || o.Failure != nil || o.Status != http.StatusOK {
		return nil, err
	}
	return namesIn(o.Body), nil
}

// namesIn are the ids in a list of models, which may end anywhere.
func namesIn(list []byte) (names []string) {
	d := json.NewDecoder(bytes.NewReader(list))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	for {
		name, err := d.Token()
		if err != nil || name == json.Delim('}') {
			return names
		}
		if name != "data" {
			var skipped json.RawMessage
			if d.Decode(&skipped) != nil {
				return names
			}
			continue
		}
		if t, err := d.Token(); err != nil || t != json.Delim('[') {
			return nil
		}
		for d.More() {
			var model struct {
				ID string `json:"id"`
			}
			if d.Decode(&model) != nil {
				return names
			}
			if model.ID != "" {
				names = append(names, model.ID)
			}
		}
		return names
	}
}

// ErrNoUpstream is returned if the mock upstream's record cannot be read. Its text states the reason.
var ErrNoUpstream = errors.New("the mock upstream's record cannot be read")

// ReadsUpstream returns [ErrNoUpstream] if the record of the profile's mock upstream cannot be read. It returns nil if there is no mock upstream.
func (s *Session) ReadsUpstream(ctx context.Context) error {
	if s.upstream == nil {
		return nil
	}
	if _, err := s.upstream.Seen(ctx, newToken()); err != nil && ctx.Err() == nil {
		return fmt.Errorf("%w: %w", ErrNoUpstream, err)
	}
	return ctx.Err()
}

// ToUpstream makes a healthy call on a surface with the model that is routed to the mock upstream. The observation contains the mock upstream's
// record of the call. The session must have a mock upstream.
func (s *Session) ToUpstream(ctx context.Context, surface dialect.Surface) (o contract.Observation, ok bool, detail string, err error) {
	token := newToken()
	call := HealthyCall(s.Profile, surface, token)
	call.Model = s.Profile.Models.Routed(surface)
	if o, err = s.paced(ctx, call); err != nil {
		return o, false, "", err
	}
	ok, detail = contract.IsSuccess(surface, o)
	inner, cancel := context.WithTimeout(ctx, cancelGrace)
	defer cancel()
	seen, err := s.upstream.Seen(inner, token)
	if err != nil {
		return o, ok, detail, fmt.Errorf("%w: %w", ErrNoUpstream, err)
	}
	o.Upstream = &seen
	return o, ok, detail, nil
}

// HasUpstream reports whether the session can read the mock upstream's record.
func (s *Session) HasUpstream() bool { return s.upstream != nil }
