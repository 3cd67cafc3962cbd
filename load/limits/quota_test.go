package limits

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestQuotas(t *testing.T) {
	now := time.Date(2026, 5, 23, 12, 0, 0, 0, time.UTC)
	quota := func(s Source, name string, limit, remaining int64, reset time.Duration) Quota {
		return Quota{Source: s, Name: name, Limit: &limit, Remaining: &remaining, Reset: &reset}
	}
	windowed := quota(RateLimit, "burst", 100, 4, 30*time.Second)
	windowed.Window = new(time.Minute)
	for _, row := range []struct {
		sentence string
		header   string
		want     []Quota
		unread   []string
	}{
		{"OpenAI's requests and tokens", "X-Ratelimit-Limit-Requests: 60|X-Ratelimit-Remaining-Requests: 59|X-Ratelimit-Reset-Requests: 1m30s|" +
			"X-Ratelimit-Limit-Tokens: 150000|X-Ratelimit-Remaining-Tokens: 149984|X-Ratelimit-Reset-Tokens: 12ms",
			[]Quota{quota(XRateLimit, "requests", 60, 59, 90*time.Second), quota(XRateLimit, "tokens", 150000, 149984, 12*time.Millisecond)}, nil},
		{"seconds since 1970", "X-Ratelimit-Limit: 5|X-Ratelimit-Remaining: -1|X-Ratelimit-Reset: 1779537610",
			[]Quota{quota(XRateLimit, "", 5, -1, 10*time.Second)}, nil},
		{"milliseconds since 1970", "X-Ratelimit-Limit: 5|X-Ratelimit-Remaining: 0|X-Ratelimit-Reset: 1779537601500",
			[]Quota{quota(XRateLimit, "", 5, 0, 1500*time.Millisecond)}, nil},
		{"the answer's own Date counts", "Date: Sat, 23 May 2026 12:00:05 GMT|X-Ratelimit-Limit: 5|X-Ratelimit-Remaining: 0|X-Ratelimit-Reset: 1779537610",
			[]Quota{quota(XRateLimit, "", 5, 0, 5*time.Second)}, nil},
		{"Anthropic's times", "Anthropic-Ratelimit-Requests-Limit: 50|Anthropic-Ratelimit-Requests-Remaining: 49|Anthropic-Ratelimit-Requests-Reset: 2026-05-23T12:00:07Z|" +
			"Anthropic-Ratelimit-Input-Tokens-Limit: 9|Anthropic-Ratelimit-Input-Tokens-Remaining: 8|Anthropic-Ratelimit-Input-Tokens-Reset: 2026-05-23T11:00:00Z",
			[]Quota{quota(Anthropic, "input-tokens", 9, 8, 0), quota(Anthropic, "requests", 50, 49, 7*time.Second)}, nil},
		{"draft 11", `Ratelimit-Policy: "burst";q=100;w=60, "daily";q=1000;qu="requests";pk=:AQ==:|Ratelimit: "burst";r=4;t=30`,
			[]Quota{windowed, {Source: RateLimit, Name: "daily", Limit: new(int64(1000))}}, nil},
		{"draft 6", "Ratelimit: limit=100, remaining=50, reset=5", nil,
			[]string{`Ratelimit: "limit=100, remaining=50, reset=5" is no structured field: want a comma at "=100, remaining=50, reset=5"`}},
		{"a policy without a quota", `Ratelimit-Policy: "x";w=60`, []Quota{{Source: RateLimit, Name: "x"}},
			[]string{`Ratelimit-Policy: "\"x\";w=60" is a policy without its quota q`}},
		{"words for numbers", "X-Ratelimit-Limit-Requests: many|X-Ratelimit-Reset-Requests: soon|Anthropic-Ratelimit-Requests-Reset: 12", nil,
			[]string{
				`Anthropic-Ratelimit-Requests-Reset: "12" is no RFC 3339 time`,
				`X-Ratelimit-Limit-Requests: "many" is no whole number`,
				`X-Ratelimit-Reset-Requests: "soon" is no duration, number of seconds or time since 1970`,
			}},
		{"nothing at all", "Content-Type: text/plain", nil, nil},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			header := http.Header{}
			for line := range strings.SplitSeq(row.header, "|") {
				name, value, _ := strings.Cut(line, ": ")
				header.Add(name, value)
			}
			quotas, unread := Quotas(header, now)
			require.ElementsMatch(t, row.want, quotas)
			var sentences []string
			for _, u := range unread {
				sentences = append(sentences, u.String())
			}
			require.Equal(t, row.unread, sentences)
		})
	}
}

func TestParseList(t *testing.T) {
	for text, want := range map[string][]item{
		``:                         nil,
		`"a"`:                      {{"a", map[string]any{}}},
		`"a\"b\\";x;y=?0, tok*/en`: {{`a"b\`, map[string]any{"x": true, "y": false}}, {"tok*/en", map[string]any{}}},
		`1;a=-2.5;b=:aGk=:,  -7`:   {{int64(1), map[string]any{"a": -2.5, "b": "aGk="}}, {int64(-7), map[string]any{}}},
	} {
		got, err := parseList(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{
		`"a`, `"a",`, `"a"b`, `"a";`, `"a";=1`, `"a";1=2`, `"a";q=`, `1234567890123456`, `1.2345`, `1.`, `-`, `?2`, `:abc`, `("a")`, `"\n"`, "\"\x01\"", `@1`,
	} {
		_, err := parseList(text)
		require.ErrorIs(t, err, errField, text)
	}
}

// Whatever a gateway sends, reading it ends, and what is read makes sense.
func FuzzQuotas(f *testing.F) {
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
		quotas, unread := Quotas(header, time.Unix(1_700_000_000, 0))
		for _, q := range quotas {
			if q.Reset != nil && *q.Reset < 0 || q.Window != nil && *q.Window < 0 {
				t.Fatalf("a negative time from %q: %+v", value, q)
			}
		}
		for _, u := range unread {
			if len(u.String()) > 600 {
				t.Fatalf("%d characters about %q", len(u.String()), value)
			}
		}
	})
}
