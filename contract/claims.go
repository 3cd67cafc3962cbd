package contract

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gatecert/gatecert/dialect"
)

// Claims states which part of the contract a gateway publishes. gatecert judges the gateway only by this part. The zero value claims the whole
// contract.
type Claims struct {
	// Codes describes the codes that the gateway publishes. nil means the codes of table 2, unchanged.
	Codes *CodeClaim `json:"codes,omitempty"`
	// NoClientKeys is set if the gateway does not issue keys to its callers.
	NoClientKeys bool `json:"no_client_keys,omitempty"`
}

// Offer is the information about a target that readers of its results need.
type Offer struct {
	Name, BaseURL string
	Claims        Claims
	// Offers reports whether a case can be created on the target.
	Offers func(Case) bool
	// Recipes lists the parts of requests that the target decides instead of gatecert, one line each, sorted.
	Recipes []string
	// CheckSent compares a recorded request with the request that the target's profile produces for a case, and CheckControl does the same for a
	// control call of a given kind. The error describes the difference. The token identifies the call; it is "" if the call has none.
	CheckSent    func(c Case, sent Sent) (token string, err error)
	CheckControl func(kind string, surface dialect.Surface, sent Sent) (token string, err error)
}

// CodeClaim describes the codes that a gateway publishes instead of table 2.
type CodeClaim struct {
	// None is set if the gateway publishes no codes. gatecert then checks no requirement about codes.
	None bool `json:"none,omitempty"`
	// Words maps codes of table 2 to the gateway's own codes. The gateway publishes codes that are not in the map under their original names.
	Words map[string][]string `json:"words,omitempty"`
}

// None reports whether the gateway claims no codes.
func (c Claims) None() bool { return c.Codes != nil && c.Codes.None }

// String names the claim, for example "tables 1 and 2" or "table 1, no codes, no client keys".
func (c Claims) String() string {
	words := "tables 1 and 2"
	switch {
	case c.None():
		words = "table 1, no codes"
	case c.Codes != nil:
		words += fmt.Sprintf(", the gateway's own names for %d of %d codes", len(c.Codes.Words), len(codesOf(anyRow)))
	}
	if c.NoClientKeys {
		words += ", no client keys"
	}
	return words
}

// Limits describes the scope of a result if it does not cover the whole contract, for example "to table 1; the gateway claims no codes". It returns "" for
// the whole contract.
func (c Claims) Limits() string {
	var parts []string
	switch {
	case c.None():
		parts = append(parts, "to table 1", "the gateway claims no codes")
	case c.Codes != nil:
		parts = append(parts, "to table 1 and to the gateway's own codes")
	}
	if c.NoClientKeys {
		parts = append(parts, "the gateway issues no client keys")
	}
	return strings.Join(parts, "; ")
}

// About describes how the claim changes what is judged in a row. It returns "" if the claim changes nothing.
func (c Claims) About(row Row) string {
	switch code := row.Code(); {
	case row.ID == RowRateLimited || c.Codes == nil:
		return ""
	case c.None():
		return "the gateway does not claim to use the contract's error codes, so everything except the code is judged"
	case code == "":
		return "the gateway's own error codes are accepted in place of the codes in the contract's table 2"
	case len(c.Codes.Words[code]) > 0:
		return "the gateway's own code is " + c.Codes.wanted(code)
	default:
		return "the gateway uses the code from the contract's table 2"
	}
}

// needClientKeys are the circumstances that only a gateway with keys for its callers can be in. A circumstance with a variant
// after a slash is that variant alone: without keys of the gateway's own, the caller's key is the upstream's, and where the
// upstream refuses it, the refusal is about the caller.
var needClientKeys = []string{
	"missing-key", "wrong-key", "revoked-key", "no-model-access", "denied-access", "spent-account", "spent-key", OverRateLimit,
	"upstream-error/error-401", "upstream-error/error-402", "upstream-error/error-403", "upstream-error/own-words",
}

// NeedsClientKeys reports whether the circumstance can occur only on a gateway that issues keys to its callers.
func (c Circumstance) NeedsClientKeys() bool { return slices.Contains(needClientKeys, c.ID) }

// NeedsClientKeys reports whether this variant needs client keys even though the other variants of its circumstance do not.
func (v Variant) NeedsClientKeys(circumstance string) bool {
	return slices.Contains(needClientKeys, circumstance+"/"+v.Name)
}

// NeedsClientKeys reports whether the case can occur only on a gateway that issues keys to its callers.
func (c Case) NeedsClientKeys() bool {
	circ, variant, _ := c.resolve()
	return circ.NeedsClientKeys() || variant.NeedsClientKeys(circ.ID)
}

// Meanings returns the codes of table 2 that one of the gateway's codes stands for. A gateway may use the same code for several of them.
func (c *CodeClaim) Meanings(word string) []string {
	if c == nil || len(c.Words) == 0 {
		if IsCode(word) {
			return []string{word}
		}
		return nil
	}
	return codesOf(func(r Row) bool { return word != "" && slices.Contains(c.wordsFor(r.Key), word) })
}

func (c *CodeClaim) known(word string) bool { return len(c.Meanings(word)) > 0 }

// wordsFor are the words that are published for a code.
func (c *CodeClaim) wordsFor(code string) []string {
	if c != nil && len(c.Words[code]) > 0 {
		return c.Words[code]
	}
	return []string{code}
}

// wanted shows the words for a code as a finding wants them.
func (c *CodeClaim) wanted(code string) string {
	var quoted []string
	for _, word := range c.wordsFor(code) {
		quoted = append(quoted, strconv.Quote(word))
	}
	return strings.Join(quoted, " or ")
}

// wordsForAll are the words that are published for some codes, each once.
func (c *CodeClaim) wordsForAll(codes []string) []string {
	var words []string
	for _, code := range codes {
		for _, word := range c.wordsFor(code) {
			if !slices.Contains(words, word) {
				words = append(words, word)
			}
		}
	}
	return words
}

func anyRow(Row) bool { return true }
