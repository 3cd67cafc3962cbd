package targets

import (
	"errors"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/targets/profile"
)

// OfferOf reads the profile that a log holds and returns what such a target claims and which cases it offers. It returns
// [profile.ErrProfile] when the text is not a profile.
func OfferOf(profileYAML string) (claims contract.Claims, offers func(contract.Case) bool, err error) {
	logged, err := profile.ParseRedacted(profileYAML)
	if err != nil {
		return claims, nil, err
	}
	return logged.Claims.Declared(), func(c contract.Case) bool {
		_, err := RequestFor(logged, c, "audit")
		return !errors.Is(err, profile.ErrNotOffered)
	}, nil
}
