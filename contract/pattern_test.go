package contract

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
)

func TestPatternMatches(t *testing.T) {
	for _, tt := range []struct {
		name, pattern, id string
		want              bool
	}{
		{"an id names itself", "http:404/unknown-model/chat", "http:404/unknown-model/chat", true},
		{"and no other", "http:404/unknown-model/chat", "http:404/unknown-model/chat-stream", false},
		{"an id without its variant is another", "code:bad_response/bad-upstream-response/chat", "code:bad_response/bad-upstream-response/chat/html", false},
		{"a star is one part", "http:404/*/chat", "http:404/unknown-model/chat", true},
		{"a star is not two parts", "http:404/*", "http:404/unknown-model/chat", false},
		{"a star stands within a part", "code:channel:*/*/chat", "code:channel:invalid_key/channel-with-bad-key/chat", true},
		{"a star does not cross a part", "code*chat", "code:model_not_found/absent-model/chat", false},
		{"two stars are the rest", "code:bad_response/**", "code:bad_response/bad-upstream-response/chat/html", true},
		{"two stars may be nothing", "http:404/unknown-model/chat/**", "http:404/unknown-model/chat", true},
		{"two stars at the front", "**/html", "code:bad_response/bad-upstream-response/chat/html", true},
		{"two stars in the middle", "http:404/**/wrong-method", "http:404/unknown-path/chat/wrong-method", true},
		{"two stars inside a part are one", "http:**/unknown-model/chat", "http:404/unknown-model/chat", true},
		{"everything", "**", "http:404/unknown-model/chat", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := ParsePattern(tt.pattern)
			require.NoError(t, err)
			assert.Equal(t, tt.want, p.Matches(tt.id))
		})
	}
}

func TestPatternThatIsNone(t *testing.T) {
	for _, text := range []string{"", "/", "http:404//chat", "http:404/", "[", "http:404/a[b"} {
		_, err := ParsePattern(text)
		assert.ErrorContains(t, err, "is not a pattern for case ids", text)
	}
}

func TestPatternFindsItsCases(t *testing.T) {
	assert.Len(t, Pattern("**").Cases(), len(Cases()))
	assert.Len(t, Pattern("http:429/*/*").Cases(), len(dialect.Surfaces()))
	assert.Empty(t, Pattern("http:418/**").Cases())
}

func FuzzPattern(f *testing.F) {
	f.Add("code:channel:invalid_key/channel-with-bad-key/chat")
	f.Add("a/\xff")
	f.Fuzz(func(t *testing.T, id string) {
		p, err := ParsePattern(id)
		if err != nil || strings.ContainsAny(id, `*?[\`) {
			return
		}
		assert.True(t, p.Matches(id), "an id names itself")
		assert.False(t, p.Matches(id+"/more"))
		assert.True(t, Pattern(id+"/**").Matches(id+"/more"))
	})
}
