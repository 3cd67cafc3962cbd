package targets

import (
	"context"
	"fmt"
	"slices"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/profile"
)

// Breakers are mostly per model. With several relay models the calls that make the upstream fail go to the next one as soon
// as the gateway does not serve the one in use any more, and the first of them may recover meanwhile.

// current is the profile, with the relay model in use as the first, and its place.
func (s *Session) current() (p profile.Profile, place int) {
	if len(s.Profile.Models.Relay) < 2 {
		return s.Profile, 0
	}
	s.health.mu.Lock()
	place = s.health.relay % len(s.Profile.Models.Relay)
	s.health.mu.Unlock()
	return s.withRelay(place), place
}

// withRelay is the profile with another relay model as the first.
func (s *Session) withRelay(place int) profile.Profile { return withRelay(s.Profile, place) }

func withRelay(p profile.Profile, place int) profile.Profile {
	if names := p.Models.Relay; len(names) > 1 {
		p.Models.Relay = slices.Concat(names[place:], names[:place])
	}
	return p
}

// nextRelay goes on to the next relay model, and reports whether there is one.
func (s *Session) nextRelay() bool {
	if len(s.Profile.Models.Relay) < 2 {
		return false
	}
	s.health.mu.Lock()
	defer s.health.mu.Unlock()
	s.health.relay++
	return true
}

// relayNote says that several relay models were used, "" for one.
func (s *Session) relayNote() string {
	if used := min(s.health.relay+1, len(s.Profile.Models.Relay)); used > 1 {
		return fmt.Sprintf("; the run continued with other relay models (it used %d of the %d listed)", used, len(s.Profile.Models.Relay))
	}
	return ""
}

// healthyFor makes the healthy call of a surface for a case. Where the case makes the upstream fail, it is that of the first
// relay model of the profile: a breaker of that model does not show on another.
func (s *Session) healthyFor(ctx context.Context, p profile.Profile, c contract.Case) (o contract.Observation, ok bool, detail string, err error) {
	call := HealthyCall(p, c.Surface, newToken())
	if c.Reach() == contract.ReachMust {
		call.Model = p.Models.Routed(c.Surface)
	}
	return s.control(ctx, c.Surface, ControlHealthy, call)
}

// UseOtherModel is used if the gateway does not serve the model that the profile sets for a surface. It tries the other models of the profile and
// uses the first one that the gateway serves. It returns that model's name, or "" if there is none.
func (s *Session) UseOtherModel(ctx context.Context, surface dialect.Surface) (model string, err error) {
	for _, name := range s.Profile.Models.Others(surface) {
		call := HealthyCall(s.Profile, surface, newToken())
		call.Model = name
		_, ok, _, err := s.control(ctx, surface, ControlHealthy, call)
		if err != nil {
			return "", err
		}
		if ok {
			s.Profile.Models = s.Profile.Models.With(surface, name)
			return name, nil
		}
	}
	return "", nil
}
