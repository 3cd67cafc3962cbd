package contract

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gatecert/gatecert/dialect"
)

// Claims says which part of the contract a gateway publishes. It is judged by no more. The zero value claims all of it.
type Claims struct {
	// Codes are those that it publishes; nil stands for table 2 as it is.
	Codes *CodeClaim `json:"codes,omitempty"`
	// NoClientKeys says that it has no keys of its own for its callers.
	NoClientKeys bool `json:"no_client_keys,omitempty"`
}

// Offer is what a target says of itself that the readers of its results have to know.
type Offer struct {
	Name, BaseURL string
	Claims        Claims
	// Offers reports whether a case can be brought about on the target.
	Offers func(Case) bool
	// Recipes say what of the requests the target decides in place of gatecert, a line each, sorted.
	Recipes []string
	// CheckSent compares a recorded request with the one that the target's profile makes for a case, and CheckControl with a
	// control call of a kind. The error says what differs. The token is what finds the call again, "" where it has none.
	CheckSent    func(c Case, sent Sent) (token string, err error)
	CheckControl func(kind string, surface dialect.Surface, sent Sent) (token string, err error)
}

// CodeClaim says which codes a gateway publishes in place of table 2 as it is.
type CodeClaim struct {
	// None says that it publishes no codes: no requirement about a code is checked.
	None bool `json:"none,omitempty"`
	// Words are the gateway's own words for codes of table 2. A code that is left out is published as it is.
	Words map[string][]string `json:"words,omitempty"`
}

// None reports whether no codes are claimed.
func (c Claims) None() bool { return c.Codes != nil && c.Codes.None }

// String names the claim: "tables 1 and 2", "table 1, no codes, no client keys".
func (c Claims) String() string {
	words := "tables 1 and 2"
	switch {
	case c.None():
		words = "table 1, no codes"
	case c.Codes != nil:
		words += fmt.Sprintf(", own names for %d of %d codes", len(c.Codes.Words), len(codesOf(anyRow)))
	}
	if c.NoClientKeys {
		words += ", no client keys"
	}
	return words
}

// Limits says what a result is about, where that is not the whole contract: "to table 1; codes are not claimed". It is ""
// for the whole.
func (c Claims) Limits() string {
	var parts []string
	switch {
	case c.None():
		parts = append(parts, "to table 1", "codes are not claimed")
	case c.Codes != nil:
		parts = append(parts, "to table 1 and to its own codes")
	}
	if c.NoClientKeys {
		parts = append(parts, "client keys are not claimed")
	}
	return strings.Join(parts, "; ")
}

// About says how the claim changes what is judged of a row, "" for not at all.
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

// NeedsClientKeys reports whether only a gateway with keys for its callers can be in the circumstance.
func (c Circumstance) NeedsClientKeys() bool { return slices.Contains(needClientKeys, c.ID) }

// NeedsClientKeys reports whether the variant of the circumstance needs keys for callers, although others do not.
func (v Variant) NeedsClientKeys(circumstance string) bool {
	return slices.Contains(needClientKeys, circumstance+"/"+v.Name)
}

// NeedsClientKeys reports whether only a gateway with keys for its callers can be in the case's circumstance.
func (c Case) NeedsClientKeys() bool {
	circ, variant, _ := c.resolve()
	return circ.NeedsClientKeys() || variant.NeedsClientKeys(circ.ID)
}

// Meanings are the codes of table 2 that a word stands for. A gateway may have one word for several of them.
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
