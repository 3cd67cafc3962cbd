package profile

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/yamlfile"
)

// Claims states which part of the contract a gateway publishes. gatecert judges the gateway only by this part.
type Claims struct {
	// Codes is "published" (table 2 unchanged; the default), "none" (table 1 only), or a map from codes of table 2 to the gateway's own code or list
	// of codes.
	Codes any `yaml:"codes,omitempty"`
	// ClientKeys is false for a gateway that does not issue keys to its callers. Default: true.
	ClientKeys *bool `yaml:"client_keys,omitempty"`
}

// The values of Codes other than a map.
const (
	codesPublished = "published"
	codesNone      = "none"
)

// NoClientKeys reports whether the gateway does not issue keys to its callers.
func (c Claims) NoClientKeys() bool { return c.ClientKeys != nil && !*c.ClientKeys }

// Declared returns the claim in the form that the judge uses. Values that cannot occur in a file count as published.
func (c Claims) Declared() contract.Claims {
	out := contract.Claims{NoClientKeys: c.NoClientKeys()}
	switch codes := c.Codes.(type) {
	case string:
		if codes == codesNone {
			out.Codes = &contract.CodeClaim{None: true}
		}
	case map[string]any:
		own := make(map[string][]string)
		for code, value := range codes {
			if list, ok := wordList(value); ok && contract.IsCode(code) {
				own[code] = list
			}
		}
		if len(own) > 0 {
			out.Codes = &contract.CodeClaim{Words: own}
		}
	}
	return out
}

// The bounds of a gateway's own words: every answer is judged by them, and carries them in the log.
const maxWords, maxWordLength = 16, 100

// wordList reads one word or a list of them.
func wordList(value any) (list []string, ok bool) {
	switch v := value.(type) {
	case string:
		list = []string{v}
	case []any:
		for _, item := range v {
			word, isWord := item.(string)
			if !isWord {
				return nil, false
			}
			list = append(list, word)
		}
	}
	unusable := func(word string) bool { return strings.TrimSpace(word) == "" || len(word) > maxWordLength }
	return list, len(list) > 0 && len(list) <= maxWords && !slices.ContainsFunc(list, unusable)
}

// Check returns [ErrProfile] if the claim contains values that cannot occur in a file.
func (c Claims) Check() error {
	if _, problem := c.fault(); problem != "" {
		return fmt.Errorf("%w: claims.codes: %s", ErrProfile, problem)
	}
	return nil
}

// With adds a claim from the command line: codes=none, codes=published, client_keys=false or client_keys=true. It returns [ErrProfile] for anything
// else.
func (c Claims) With(word string) (Claims, error) {
	switch name, value, _ := strings.Cut(word, "="); {
	case name == "codes" && (value == codesNone || value == codesPublished):
		c.Codes = value
	case name == "client_keys" && (value == "true" || value == "false"):
		c.ClientKeys = new(value == "true")
	default:
		return c, fmt.Errorf("%w: claim %q: must be codes=none, codes=published or client_keys=false; to declare the gateway's own codes, use a profile", ErrProfile, word)
	}
	return c, nil
}

// fault is what is wrong with the claim and where, "" for nothing.
func (c Claims) fault() (path, problem string) {
	switch codes := c.Codes.(type) {
	case nil:
		return "", ""
	case string:
		if codes == codesPublished || codes == codesNone {
			return "", ""
		}
	case map[string]any:
		if len(codes) == 0 {
			break
		}
		var published []string
		for _, row := range contract.Rows() {
			if code := row.Code(); code != "" {
				published = append(published, code)
			}
		}
		for _, code := range slices.Sorted(maps.Keys(codes)) {
			path := ".codes.'" + strings.ReplaceAll(code, "'", "") + "'"
			if _, ok := wordList(codes[code]); !ok {
				return path, fmt.Sprintf("the value must be the gateway's own name for the code or a list of at most %d names, each of 1 to %d bytes", maxWords, maxWordLength)
			}
			if contract.IsCode(code) {
				continue
			}
			return path, fmt.Sprintf("%q is not a code in the contract's table 2: %s", code, yamlfile.DidYouMean(code, published, "run gatecert list rows to see the codes"))
		}
		return "", ""
	}
	return ".codes", `the value must be "published", "none", or a map from codes in the contract's table 2 to the gateway's own names`
}

// claimRules are about what contradicts a claim.
func claimRules(p Profile) []rule {
	if !p.Claims.NoClientKeys() {
		return nil
	}
	const problem = "this setting contradicts claims.client_keys: false, because it concerns keys that the gateway issues to its callers; remove the setting or the claim"
	k := p.Keys
	rules := []rule{
		{"$.keys", "with claims.client_keys: false, only keys.valid is allowed here; remove the other keys or the claim", k.Wrong+k.Revoked+k.Restricted+k.Denied+k.SpentAccount+k.SpentKey != ""},
		{"$.limits.rate.key", problem, p.Limits.Rate.Key != ""},
	}
	for _, name := range slices.Sorted(maps.Keys(p.Circumstances)) {
		id, _, _ := strings.Cut(name, "/")
		circumstance, _ := contract.CircumstanceByID(id)
		rules = append(rules, rule{"$.circumstances.'" + name + "'", problem, circumstance.NeedsClientKeys()})
	}
	return rules
}
