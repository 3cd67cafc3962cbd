package targets

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/targets/profile"
)

// An audit asks the profile of a log what it offers: redaction must not change the answer.
func TestARedactedProfileOffersTheSame(t *testing.T) {
	whole, err := profile.Load("profile/testdata/whole.yaml", func(name string) (string, bool) { return "sk-abc-123", name == "GATEWAY_KEY" })
	require.NoError(t, err)
	attached := profile.FromURL("http://127.0.0.1:9900", "sk-abc-123", "m")
	attached.Upstream.Attach = "http://127.0.0.1:9901/"
	attached.Circumstances = map[string]profile.Recipe{"unpriced-model": {Key: "sk-other-key-1", Body: map[string]any{"user": "sk-abc-123", "n": nil, "list": []any{"sk-abc-123"}}}}
	for name, p := range map[string]profile.Profile{"a whole profile": whole, "a bare URL": profile.FromURL("http://127.0.0.1:9900", "sk-abc-123", "m"), "an attached upstream": attached} {
		t.Run(name, func(t *testing.T) {
			text := p.Redacted()
			again, err := profile.ParseRedacted(text)
			require.NoError(t, err, text)
			offered := 0
			for _, c := range contract.Cases() {
				_, want := RequestFor(p, c, "t")
				_, got := RequestFor(again, c, "t")
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

// What a driver knows of its kind of gateway stands in the log. Of one that was prepared by hand, a log cannot say it.
func TestALogSaysWhatAPreparedGatewayLacks(t *testing.T) {
	p := profile.FromURL("http://127.0.0.1:9900", "sk-abc-123", "m")
	p.Driver, p.Lacks = profile.NewAPIDriver, map[string]string{"missing-key": "it has none"}
	missing := contract.CaseOf("missing-key", "chat", "")
	logged, err := OfferOf(p.Redacted())
	require.NoError(t, err)
	assert.False(t, logged.Offers(missing))
	assert.True(t, logged.Offers(contract.CaseOf("wrong-key", "chat", "")))
	p.Driver = profile.StaticDriver
	_, err = OfferOf(p.Redacted())
	assert.ErrorIs(t, err, profile.ErrProfile)
}

func TestTextThatIsNotAProfile(t *testing.T) {
	_, err := profile.ParseRedacted("keys: [a, b]")
	assert.ErrorIs(t, err, profile.ErrProfile)
}
