package targets

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/targets/profile"
)

// OfferOf parses the profile in a log and returns what such a target offers. It returns [profile.ErrProfile] if the text is not a profile.
func OfferOf(profileYAML string) (contract.Offer, error) {
	logged, err := profile.ParseRedacted(profileYAML)
	if err != nil {
		return contract.Offer{}, err
	}
	return contract.Offer{
		Name: logged.Name, BaseURL: logged.BaseURL, Claims: logged.Claims.Declared(), Recipes: RecipesOf(logged),
		Offers: func(c contract.Case) bool {
			_, err := RequestFor(logged, c, "audit")
			return !errors.Is(err, profile.ErrNotOffered)
		},
		CheckSent: func(c contract.Case, sent contract.Sent) (string, error) { return checkSent(logged, c, sent) },
		CheckControl: func(kind string, s dialect.Surface, sent contract.Sent) (string, error) {
			return checkControl(logged, ControlKind(kind), s, sent)
		},
	}, nil
}

// RecipesOf lists the recipes that set the path, method, headers or body of a request, and what each of them sets. Readers of a result need to know
// that gatecert did not choose these parts of the requests itself. The lines are sorted.
func RecipesOf(p profile.Profile) []string {
	var lines []string
	for name, r := range p.Circumstances {
		if line := changes(r); line != "" {
			lines = append(lines, name+": "+line)
		}
		for s, special := range r.On {
			if line := changes(special); line != "" {
				lines = append(lines, name+" on "+string(s)+": "+line)
			}
		}
	}
	slices.Sort(lines)
	return lines
}

// maxQuoted bounds what is quoted of a recipe, in characters.
const maxQuoted = 120

// changes says what a recipe decides of a request, "" for nothing.
func changes(r profile.Recipe) string {
	var parts []string
	if r.Method != "" {
		parts = append(parts, "method "+plain.Text(r.Method, maxQuoted))
	}
	if r.Path != "" {
		parts = append(parts, "path "+plain.Text(r.Path, maxQuoted))
	}
	if len(r.Headers) > 0 {
		parts = append(parts, "headers "+plain.Text(strings.Join(slices.Sorted(maps.Keys(r.Headers)), " "), maxQuoted))
	}
	if len(r.Body) > 0 {
		parts = append(parts, "body "+plain.Text(fmt.Sprint(slices.Sorted(maps.Keys(r.Body))), maxQuoted))
	}
	return strings.Join(parts, ", ")
}
