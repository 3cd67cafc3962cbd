package targets

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/profile"
)

// ErrUnknownKey is returned if the gateway rejects a key that the profile declares as valid. Its text names the key's field in the profile.
var ErrUnknownKey = errors.New("the gateway rejects one of the keys from the profile")

// CheckLimitedKey makes a healthy call with the key and the model that have the declared rate limit. It returns [ErrUnknownKey] if the gateway
// responds with 401 or 403, or with 404 for a model, because such a response shows nothing about a limit.
func (s *Session) CheckLimitedKey(ctx context.Context, surface dialect.Surface) error {
	call := HealthyCall(s.Profile, surface, newToken())
	rate, place := s.Profile.Limits.Rate, "limits.rate.key"
	if rate.Key == "" && rate.Model == "" {
		return nil
	}
	if call.Key = s.Profile.LimitedKey(); rate.Model != "" {
		call.Model = rate.Model
	}
	if rate.Key == "" {
		place = "limits.rate.model"
	}
	o, err := s.client.Do(ctx, call)
	if err != nil {
		return fmt.Errorf("control: %w", err)
	}
	if o.Status == http.StatusUnauthorized || o.Status == http.StatusForbidden || o.Status == http.StatusNotFound && rate.Model != "" {
		_, detail := contract.IsSuccess(surface, o)
		return fmt.Errorf("%w: %s: a healthy call on %s returned %s; check that the key is spelled correctly and may use the model", ErrUnknownKey, place, surface, detail)
	}
	return nil
}

// preparedKeys are the circumstances of the keys that no healthy call may succeed with.
var preparedKeys = []string{"revoked-key", "spent-account", "spent-key"}

// CheckPreparedKeys makes the call of one case with each revoked or spent key that the cases of a run use. If a key works, or if the gateway responds
// as it does to a key that was never issued, a note describes the possible causes: a mistake in the profile or a fault of the gateway. Neither is an
// error, because only the profile's author can tell which it is. The responses of cases with an unknown key are marked, see [contract.Declared].
// CheckPreparedKeys must be called before the cases run. It does not check keys that a driver created, because their state is known.
func (s *Session) CheckPreparedKeys(ctx context.Context, cases []contract.Case) (notes []string, err error) {
	if s.Profile.Driver != profile.StaticDriver {
		return nil, nil
	}
	s.unknown = make(map[string]bool)
	for _, circumstance := range preparedKeys {
		i := slices.IndexFunc(cases, func(c contract.Case) bool { return c.Circumstance == circumstance })
		if i < 0 {
			continue
		}
		note, err := s.checkPreparedKey(ctx, cases[i])
		if err != nil {
			return notes, err
		}
		if note != "" {
			notes = append(notes, note)
		}
	}
	return notes, nil
}

func (s *Session) checkPreparedKey(ctx context.Context, c contract.Case) (note string, err error) {
	request, err := RequestFor(s.Profile, c, newToken())
	if err != nil || request.Exclusive() || request.Call.Key == s.Profile.Keys.Valid {
		return "", nil //nolint:nilerr // not offered, or brought about by other means than a key
	}
	name := "keys." + builtins[c.Circumstance].key
	o, err := s.paced(ctx, request.Call)
	if err != nil {
		return "", err
	}
	if works, _ := contract.IsSuccess(c.Surface, o); works {
		return fmt.Sprintf("%s: a call with this key on %s succeeded: either the key is not what the profile declares it to be, or the gateway accepts such keys", name, c.Surface), nil
	}
	if o.Status != http.StatusUnauthorized {
		return "", nil
	}
	key := request.Call.Key
	request.Call.Key = s.Profile.Keys.WrongKey()
	request.Call.KeyRole = s.Profile.KeyRole(request.Call.Key)
	never, err := s.paced(ctx, request.Call)
	if err != nil || never.Status != http.StatusUnauthorized || kindOf(c.Surface, o) != kindOf(c.Surface, never) {
		return "", err
	}
	s.unknown[key] = true
	return fmt.Sprintf("%s: the gateway rejects this key with 401, like a key that was never issued; check that the key is spelled correctly", name), nil
}

// kindOf is what the error object of an answer says of its kind: its code and its type.
func kindOf(surface dialect.Surface, o contract.Observation) string {
	env, err := dialect.DecodeError(surface.Dialect(), o.Body, contract.IsCode)
	if err != nil {
		return ""
	}
	return fmt.Sprint(env.Business, " ", env.Type)
}
