package targets

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
)

// An audit asks the profile of a log what it offers: redaction must not change the answer.
func TestARedactedProfileOffersTheSame(t *testing.T) {
	whole, err := Parse("p.yaml", []byte(wholeProfile), environment(map[string]string{"GATEWAY_KEY": "sk-abc-123"}))
	require.NoError(t, err)
	attached := FromURL("http://127.0.0.1:9900", "sk-abc-123", "m")
	attached.Upstream.Attach = "http://127.0.0.1:9901/"
	attached.Circumstances = map[string]Recipe{"unpriced-model": {Key: "sk-other-key-1", Body: map[string]any{"user": "sk-abc-123", "n": nil, "list": []any{"sk-abc-123"}}}}
	for name, p := range map[string]Profile{"a whole profile": whole, "a bare URL": FromURL("http://127.0.0.1:9900", "sk-abc-123", "m"), "an attached upstream": attached} {
		t.Run(name, func(t *testing.T) {
			text := p.Redacted()
			again, err := ParseRedacted(text)
			require.NoError(t, err, text)
			offered := 0
			for _, c := range contract.Cases() {
				_, want := p.Provoke(c, "t")
				_, got := again.Provoke(c, "t")
				assert.Equal(t, want, got, c.ID())
				if want == nil {
					offered++
				}
			}
			assert.Positive(t, offered)
			assert.NotContains(t, text, "sk-abc-123")
		})
	}
}

func TestTextThatIsNoProfile(t *testing.T) {
	_, err := ParseRedacted("keys: [a, b]")
	assert.ErrorIs(t, err, ErrProfile)
}
