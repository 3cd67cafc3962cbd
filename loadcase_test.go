package gatecert_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
	"github.com/gatecert/gatecert/targets/reference"
)

// servedReference starts a reference gateway and returns a static profile of it.
func servedReference(t *testing.T) profile.Profile {
	t.Helper()
	prepared, err := reference.Driver{}.Prepare(t.Context(), profile.Profile{})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, prepared.Close(t.Context())) })
	served := prepared.Profile
	served.Driver = profile.StaticDriver
	served.Upstream = profile.Upstream{} // the driver has started the mock upstream
	return served
}

func TestLoadOnARemoteGatewayNeedsConsent(t *testing.T) {
	profile := servedReference(t)
	// 0.0.0.0 reaches every address of this machine, and does not count as a loopback address.
	profile.BaseURL = strings.Replace(profile.BaseURL, "127.0.0.1", "0.0.0.0", 1)
	cfg := gatecert.Config{Target: profile, Level: contract.Full, Rows: []string{"http:429"}, Surfaces: []string{"chat"}}
	_, err := certify(t.Context(), cfg)
	require.ErrorIs(t, err, targets.ErrConsent)
	assert.ErrorContains(t, err, "the gateway is not on this machine, and the run would include load cases on "+profile.BaseURL)

	cfg.Level = ""
	r := run(t, cfg)
	assert.Len(t, r.Cases, 1, "without load cases no consent is needed")
}

func TestLoadCasesRunOnlyWhenSelected(t *testing.T) {
	for _, tt := range []struct {
		name string
		cfg  gatecert.Config
		want []string
	}{
		{"not by default", gatecert.Config{}, nil},
		{"not below their level", gatecert.Config{Level: contract.Store}, nil},
		{"at level load", gatecert.Config{Level: contract.Full}, []string{"chat", "responses", "messages", "gemini"}},
		{"a case that is named", gatecert.Config{Cases: []string{"http:429/over-rate-limit/messages/under-load"}}, []string{"messages"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.cfg.Rows = []string{"http:429"}
			tt.cfg.Driver = reference.Driver{}
			certification, err := gatecert.New(tt.cfg)
			require.NoError(t, err)
			var got []string
			for _, c := range certification.Cases() {
				if c.IsLoad() {
					got = append(got, string(c.Surface))
				}
			}
			assert.Equal(t, tt.want, got)
		})
	}
}
