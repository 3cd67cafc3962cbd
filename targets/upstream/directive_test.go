package upstream

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseDirective(t *testing.T) {
	for _, row := range []struct {
		sentence string
		prompt   string
		want     Directive
	}{
		{"a directive without words asks for a healthy response", "[[gatecert]]", Directive{}},
		{"the token alone", "Say hello. [[gatecert token=a.B-9_]] Thanks.", Directive{Token: "a.B-9_"}},
		{"the first of two wins", "[[gatecert token=one]] [[gatecert token=two]]", Directive{Token: "one"}},
		{"a longer word is not a directive", "[[gatecertify]] [[gatecert token=a]]", Directive{Token: "a"}},
		{"any white space separates", "[[gatecert\n token=a\t status=503 ]]", Directive{Token: "a", Status: 503}},
		{"content words share a field", "[[gatecert no-choices]]", Directive{Content: NoChoices}},
		{"an ending with its number", "[[gatecert stall-after=0]]", Directive{Ending: StallAfter}},
		{"durations", "[[gatecert delay=1500ms gap=20us]]", Directive{Delay: 1500 * time.Millisecond, Events: EventFaults{Gap: 20 * time.Microsecond}}},
		{"header values are escaped", "[[gatecert header=X-A:b+c%3A header=X-A:]]", Directive{Headers: []Header{{"X-A", "b c:"}, {"X-A", ""}}}},
		{"an error's fields", "[[gatecert status=400 code=a%5D%5D type=b message=c+%22d%22]]", Directive{Status: 400, Error: ErrorFields{Code: "a]]", Type: "b", Message: `c "d"`}}},
		{"a broken event within what is sent", "[[gatecert broken-event=2 cut-after=2]]", Directive{Events: EventFaults{Broken: 2}, Ending: CutAfter, After: 2}},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			d, found, err := ParseDirective(row.prompt)
			require.NoError(t, err)
			assert.True(t, found)
			assert.Equal(t, row.want, d)
		})
	}
}

func TestNoDirective(t *testing.T) {
	for _, prompt := range []string{"", "hello", "[[gatecertify]]", "[gatecert token=a]", "[[Gatecert]]"} {
		d, found, err := ParseDirective(prompt)
		require.NoError(t, err)
		assert.False(t, found, prompt)
		assert.Equal(t, Directive{}, d)
	}
}

func TestRefusedDirectives(t *testing.T) {
	for _, row := range []struct{ text, why string }{
		{"nonsense", `unknown word: "nonsense"`},
		{"status=503 status=503", "status appears twice"},
		{"status", "status needs a value: 200 … 599 except 421"},
		{"code=", "code needs a value: text, URL-encoded"},
		{"hang=1", "hang takes no value"},
		{"hang=", "hang takes no value"},
		{"status=100", `status: "100" is not a whole number from 200 to 599`},
		{"status=421", "the status cannot be 421: it is reserved for rejected directives"},
		{"body=soup", `unknown body: "soup"`},
		{"truncate=head", `unknown truncation: "head"`},
		{"delay=-1s", `delay: "-1s" is not a duration up to 10m, such as 250ms`},
		{"delay=11m", `delay: "11m" is not a duration up to 10m, such as 250ms`},
		{"cut-after=x", `cut-after: "x" is not a whole number from 0 to 10000`},
		{"broken-event=0", `broken-event: "0" is not a whole number from 1 to 10000`},
		{"message=%zz", `message: "%zz" is not URL-encoded text, or decodes to characters that are not allowed here`},
		{"message=%ff", `message: "%ff" is not URL-encoded text, or decodes to characters that are not allowed here`},
		{"retry-after=a%0d%0aX:b", `retry-after: "a%0d%0aX:b" is not URL-encoded text, or decodes to characters that are not allowed here`},
		{"header=X%20A:b", `"X%20A" is not a valid header name`},
		{"header=content-length:3", "header content-length is not allowed: it would change where the message ends"},
		{"header=A:%00", `header: "%00" is not URL-encoded text, or decodes to characters that are not allowed here`},
		{strings.Repeat("header=A:b ", 17), "the directive has more than 16 headers"},
		{"body=html refuse", "refuse contradicts html: both define what is sent"},
		{"hang reset", "reset contradicts hang: both define how the response ends"},
		{"stall truncate=gzip", "truncate=gzip contradicts stall: both define how the response ends"},
		{"hang status=503", "hang sends no response, but other words of the directive need one"},
		{"close header=A:b", "close sends no response, but other words of the directive need one"},
		{"status=500 cut-after=1", "the directive has words for stream events, but its status or content does not allow a stream"},
		{"body=html broken-event=1", "the directive has words for stream events, but its status or content does not allow a stream"},
		{"refuse no-done", "the directive has words for stream events, but its status or content does not allow a stream"},
		{"refuse status=400", "the word refuse cannot be combined with a status: the protocol defines the status of a refusal"},
		{"no-choices status=500", "no-choices can be combined only with a 2xx status"},
		{"status=204 body=html", "the directive specifies a body, but its status does not allow a body"},
		{"body=empty truncate=length", "words such as truncate and stall need a body, but the response has none"},
		{"status=302 stall", "words such as truncate and stall need a body, but the response has none"},
		{"empty-stream cut-after=1", "words such as truncate and stall need a body, but the response has none"},
		{"empty-stream broken-event=1", "broken-event needs an event, but the response has none"},
		{"truncate=chunk broken-event=1", "truncate cannot be combined with broken-event: the truncated response may end before the broken event"},
		{"cut-after=1 broken-event=2", "the number in broken-event must not be greater than the number in cut-after"},
		{"status=500 code=a code-number=1", "code and code-number cannot be combined"},
		{"redirect status=302", "the word redirect cannot be combined with a status: a redirect always has the status 307"},
		{"redirect stall", "words such as truncate and stall need a body, but the response has none"},
		{"redirect gzip", "gzip needs a body, but the response has none"},
		{"gzip cut-after=1", "gzip can compress only a complete body"},
		{"gzip truncate=length", "gzip can compress only a complete body"},
		{"tool-call", "tool-call starts a stream that never finishes: add a word such as cut-after, which stops the stream after a number of events"},
		{"reasoning stall", "reasoning starts a stream that never finishes: add a word such as cut-after, which stops the stream after a number of events"},
		{"tool-call status=500 cut-after=1", "the directive has words for stream events, but its status or content does not allow a stream"},
		{"code=a", "code, code-number, type and message need an error object, but the response has none"},
		{"status=503 body=html message=a", "code, code-number, type and message need an error object, but the response has none"},
		{"retry-after=1 header=retry-after:2", "Retry-After is set twice: by the word retry-after and by the word header"},
	} {
		t.Run(row.text, func(t *testing.T) {
			d, found, err := ParseDirective("[[gatecert " + row.text + " token=late]]")
			assert.True(t, found)
			require.ErrorIs(t, err, ErrDirective)
			assert.EqualError(t, err, "directive refused: "+row.why)
			assert.Equal(t, Directive{Token: "late"}, d, "the token is parsed nevertheless")
		})
	}
}

func TestRefusedTokens(t *testing.T) {
	for _, token := range []string{"a/b", "é", "[", strings.Repeat("x", 65)} {
		_, _, err := ParseDirective("[[gatecert token=" + token + "]]")
		assert.ErrorContains(t, err, "directive refused: token: ")
	}
}

func TestDirectiveWithoutEndIsRefused(t *testing.T) {
	d, found, err := ParseDirective("[[gatecert token=a " + strings.Repeat("x", 1<<20) + "]]")
	assert.True(t, found)
	assert.EqualError(t, err, `directive refused: there is no closing "]]" within 8192 bytes`)
	assert.Equal(t, "a", d.Token)

	_, _, err = ParseDirective("[[gatecert " + strings.Repeat("x", 1000) + "]]")
	assert.EqualError(t, err, `directive refused: unknown word: "`+strings.Repeat("x", 60)+`…"`)
}

func TestDirectiveString(t *testing.T) {
	assert.Equal(t, "[[gatecert]]", Directive{}.String())
	assert.Equal(t, "[[gatecert token=abc status=503 body=html]]", Directive{Token: "abc", Status: 503, Content: HTMLBody}.String())
	assert.Equal(t, "[[gatecert truncate=chunk delay=1.5us]]", Directive{Ending: TruncateChunk, Delay: 1500}.String())
	assert.Equal(t, "[[gatecert stall-after=0 crlf comments]]", Directive{Ending: StallAfter, Events: EventFaults{CRLF: true, Comments: true}}.String())
	assert.Equal(t, "[[gatecert status=429 retry-after=1+h header=A:%5D%5D message=%C3%A9%3C%3E%22]]",
		Directive{Status: 429, RetryAfter: "1 h", Headers: []Header{{"A", "]]"}}, Error: ErrorFields{Message: `é<>"`}}.String())
}

// A directive that is accepted equals the one that is parsed from its own text.
func TestDirectivesSurviveFormatting(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 2))
	values := map[string][]string{
		"token": {"a", "Z-9._"}, "status": {"200", "204", "302", "400", "503"}, "truncate": {"length", "chunk", "gzip"},
		"body":  {"error", "answer-with-error", "foreign", "html", "text", "empty", "broken-json", "null"},
		"delay": {"1ns", "90s"}, "gap": {"1us", "10m"}, "header": {"A:", "B:c%25"},
	}
	accepted := 0
	for range 20_000 {
		var text strings.Builder
		for _, w := range Vocabulary() {
			if draw.IntN(8) > 0 {
				continue
			}
			text.WriteString(" " + w.Name)
			if w.Values != "" {
				choices := values[w.Name]
				if choices == nil {
					choices = []string{"1", "7"}
				}
				text.WriteString("=" + choices[draw.IntN(len(choices))])
			}
		}
		if d, _, err := ParseDirective("[[gatecert" + text.String() + "]]"); err == nil {
			accepted++
			again, found, err := ParseDirective(d.String())
			require.NoError(t, err, d.String())
			require.True(t, found)
			require.Equal(t, d, again)
		}
	}
	assert.Greater(t, accepted, 1000)
}

func FuzzParseDirective(f *testing.F) {
	f.Add("[[gatecert token=abc status=503 body=html]]")
	f.Add("[[gatecert header=A:b%20c header=A:b cut-after=3 gap=1ms chunks=9 crlf]]")
	f.Add("[[gatecert status=400 code=a type=b message=%5D%5D]] [[gatecert")
	f.Fuzz(func(t *testing.T, prompt string) {
		d, found, err := ParseDirective(prompt)
		if err != nil {
			require.ErrorIs(t, err, ErrDirective)
			require.True(t, found)
			return
		}
		if !found {
			require.Equal(t, Directive{}, d)
			return
		}
		again, found, err := ParseDirective("noise " + d.String() + " noise")
		require.NoError(t, err)
		require.True(t, found)
		require.Equal(t, d, again)
		require.NotRegexp(t, `[^a-zA-Z0-9._%+=:\[\] -]`, d.String(), "no character that an encoding escapes")
	})
}

func TestEveryWordIsExplainedByASentence(t *testing.T) {
	for _, w := range Vocabulary() {
		assert.True(t, strings.HasSuffix(w.Sentence, "."), w.Name)
	}
}
