package targets

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/targets/profile"
)

// longPrompt is so much longer than the healthy prompt that no tokenizer finds as many tokens in it.
var longPrompt = strings.Repeat("one two three four five six seven eight nine ten ", 20)

// unsupportedCount is the recipe of a count that the gateway cannot make.
const unsupportedCount = "unknown-path/" + contract.Uncounted

// CheckCounts compares the token count in the response to a healthy call with the count for a much longer prompt. If both counts are equal, or
// nothing was counted, the gateway has invented the count: a client that relies on it never shortens its context. [unsupportedCount] then uses the
// healthy call regardless of the profile, and the note states this. The note is "" if the counts differ, or if nothing can be concluded. CheckCounts
// must be called before the cases run.
func (s *Session) CheckCounts(ctx context.Context, healthy contract.Observation) (note string, err error) {
	short, ok := countIn(healthy)
	if !ok {
		return "", nil
	}
	call := HealthyCall(s.Profile, dialect.CountTokens, newToken())
	call.Prompt += " " + longPrompt
	o, err := s.paced(ctx, call)
	if err != nil {
		return "", err
	}
	long, ok := countIn(o)
	if !ok || short != 0 && long != short {
		return "", nil
	}
	recipes := maps.Clone(s.Profile.Circumstances)
	if recipes == nil {
		recipes = make(map[string]profile.Recipe)
	}
	recipes[unsupportedCount] = profile.Recipe{}
	s.Profile.Circumstances = recipes
	return fmt.Sprintf("count-tokens returns %s for a short prompt and %d for a prompt with 200 more words, so it does not really count tokens. "+
		"The case http:404/unknown-path/count-tokens/unsupported (level account) checks this behaviour", plain.Count(short, "token"), long), nil
}

// countIn is the count of tokens in a successful answer; ok is false when there is none.
func countIn(o contract.Observation) (count int64, ok bool) {
	if ok, _ := contract.IsSuccess(dialect.CountTokens, o); !ok {
		return 0, false
	}
	var answer struct {
		Tokens json.Number `json:"input_tokens"`
	}
	if json.Unmarshal(o.Body, &answer) != nil {
		return 0, false
	}
	count, err := answer.Tokens.Int64()
	return count, err == nil
}
