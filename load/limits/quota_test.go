package limits

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseQuotas(t *testing.T) {
	now := time.Date(2026, 5, 23, 12, 0, 0, 0, time.UTC)
	full := func(s quotaSource, name string, limit, remaining int64, reset time.Duration) quota {
		return quota{source: s, name: name, limit: &limit, remaining: &remaining, reset: &reset}
	}
	for _, row := range []struct {
		sentence string
		header   string
		want     []quota
		invalid  []string
	}{
		{"requests and tokens of OpenAI", "X-Ratelimit-Limit-Requests: 60|X-Ratelimit-Remaining-Requests: 59|X-Ratelimit-Reset-Requests: 1m30s|" +
			"X-Ratelimit-Limit-Tokens: 150000|X-Ratelimit-Remaining-Tokens: 149984|X-Ratelimit-Reset-Tokens: 12ms",
			[]quota{full(xRateLimit, "requests", 60, 59, 90*time.Second), full(xRateLimit, "tokens", 150000, 149984, 12*time.Millisecond)}, nil},
		{"a Unix timestamp in seconds", "X-Ratelimit-Limit: 5|X-Ratelimit-Remaining: -1|X-Ratelimit-Reset: 1779537610",
			[]quota{full(xRateLimit, "", 5, -1, 10*time.Second)}, nil},
		{"a Unix timestamp in milliseconds", "X-Ratelimit-Limit: 5|X-Ratelimit-Remaining: 0|X-Ratelimit-Reset: 1779537601500",
			[]quota{full(xRateLimit, "", 5, 0, 1500*time.Millisecond)}, nil},
		{"the response's own Date counts", "Date: Sat, 23 May 2026 12:00:05 GMT|X-Ratelimit-Limit: 5|X-Ratelimit-Remaining: 0|X-Ratelimit-Reset: 1779537610",
			[]quota{full(xRateLimit, "", 5, 0, 5*time.Second)}, nil},
		{"RFC 3339 times of Anthropic", "Anthropic-Ratelimit-Requests-Limit: 50|Anthropic-Ratelimit-Requests-Remaining: 49|Anthropic-Ratelimit-Requests-Reset: 2026-05-23T12:00:07Z|" +
			"Anthropic-Ratelimit-Input-Tokens-Limit: 9|Anthropic-Ratelimit-Input-Tokens-Remaining: 8|Anthropic-Ratelimit-Input-Tokens-Reset: 2026-05-23T11:00:00Z",
			[]quota{full(anthropicRateLimit, "input-tokens", 9, 8, 0), full(anthropicRateLimit, "requests", 50, 49, 7*time.Second)}, nil},
		{"draft 11", `Ratelimit-Policy: "burst";q=100;w=60, "daily";q=1000;qu="requests";pk=:AQ==:|Ratelimit: "burst";r=4;t=30`,
			[]quota{
				{source: rateLimit, name: "burst", limit: new(int64(100)), remaining: new(int64(4)), reset: new(30 * time.Second), window: new(time.Minute)},
				{source: rateLimit, name: "daily", limit: new(int64(1000))},
			}, nil},
		{"draft 6", "Ratelimit: limit=100, remaining=50, reset=5", nil,
			[]string{`Ratelimit: "limit=100, remaining=50, reset=5": not a structured field: invalid list format: character 5`}},
		{"a policy without a quota", `Ratelimit-Policy: "x";w=60`, []quota{{source: rateLimit, name: "x"}},
			[]string{`Ratelimit-Policy: "\"x\";w=60": a policy lacks the parameter q (the quota)`}},
		{"words in place of numbers", "X-Ratelimit-Limit-Requests: many|X-Ratelimit-Reset-Requests: soon|Anthropic-Ratelimit-Requests-Reset: 12", nil,
			[]string{
				`Anthropic-Ratelimit-Requests-Reset: "12": not an RFC 3339 time`,
				`X-Ratelimit-Limit-Requests: "many": not a whole number`,
				`X-Ratelimit-Reset-Requests: "soon": not a duration, number of seconds or Unix timestamp`,
			}},
		{"no rate-limit fields", "Content-Type: text/plain", nil, nil},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			header := http.Header{}
			for line := range strings.SplitSeq(row.header, "|") {
				name, value, _ := strings.Cut(line, ": ")
				header.Add(name, value)
			}
			quotas, invalid := parseQuotas(header, now)
			require.ElementsMatch(t, row.want, quotas)
			var sentences []string
			for _, u := range invalid {
				sentences = append(sentences, u.String())
			}
			require.Equal(t, row.invalid, sentences)
		})
	}
}

func TestParseQuotasRejectsInvalidLists(t *testing.T) {
	for _, value := range []string{
		`"a`, `"a",`, `"a"b`, `"a";`, `"a";=1`, `"a";1=2`, `"a";q=`, `1234567890123456`, `1.2345`, `1.`, `-`, `?2`, `:abc`, `("a")`, `"\n"`, "\"\x01\"", `@1`,
		`7`, `?1`, `:aGk=:`, `"a";q=1.5`, `"a";q="1"`, `"a";q`,
	} {
		quotas, invalid := parseQuotas(map[string][]string{"Ratelimit-Policy": {value}}, time.Now())
		require.Len(t, invalid, 1, value)
		for _, q := range quotas {
			require.Nil(t, q.limit, value)
		}
	}
	quotas, invalid := parseQuotas(map[string][]string{"Ratelimit-Policy": {`"a\"b\\";x;y=?0;z=-2.5;b=:aGk=:;q=1,  tok*/en;q=2`, `"c";q=3`}}, time.Now())
	require.Empty(t, invalid)
	require.Equal(t, []quota{
		{source: rateLimit, name: `a"b\`, limit: new(int64(1))}, {source: rateLimit, name: "tok*/en", limit: new(int64(2))}, {source: rateLimit, name: "c", limit: new(int64(3))},
	}, quotas)
}

// Parsing ends whatever a gateway sends, and no duration is negative.
func FuzzParseQuotas(f *testing.F) {
	for _, seed := range []string{
		`"burst";q=100;w=60, "daily";q=1000`, `"a";r=5;t=9223372036854775`, "limit=1, remaining=2", "6m0s", "1779537610", "1e300", "-5", "NaN",
		"2026-05-23T12:00:07Z", ":::", `"\`, ";;;", "?1;a=?0", "0.001", "99999999999999999999",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		header := map[string][]string{}
		for _, name := range []string{
			"Ratelimit", "Ratelimit-Policy", "X-Ratelimit-Limit-Requests", "X-Ratelimit-Reset-Requests", "Anthropic-Ratelimit-Requests-Reset", "Date",
		} {
			header[name] = []string{value}
		}
		quotas, invalid := parseQuotas(header, time.Unix(1_700_000_000, 0))
		for _, q := range quotas {
			if q.reset != nil && *q.reset < 0 {
				t.Fatalf("a negative time from %q: %+v", value, q)
			}
		}
		for _, u := range invalid {
			if len(u.String()) > 600 {
				t.Fatalf("%d characters about %q", len(u.String()), value)
			}
		}
	})
}
