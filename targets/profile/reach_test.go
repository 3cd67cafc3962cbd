package profile_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/targets/profile"
)

func TestReach(t *testing.T) {
	known := func(name string) (string, bool) { return "secret-value-of-" + name, true }
	for name, tt := range map[string]struct {
		text string
		want []string
	}{
		"a literal key":        {"base_url: http://gateway.example\nkeys: {valid: sk-0123456789}\n", []string{"sends requests to http://gateway.example"}},
		"variables":            {"base_url: http://gateway.example\nkeys: {valid: \"${B}\", revoked: \"${A}\"}\n", []string{"sends requests to http://gateway.example, with $A, $B"}},
		"a variable as a host": {"env: [HOST]\nbase_url: http://gateway.example\nheaders: {x-tenant: \"${HOST}\"}\nkeys: {valid: k}\n", []string{"sends requests to http://gateway.example, with $HOST"}},
		"the built-in gateway": {"driver: reference\n", []string{"starts a gateway on this machine"}},
		"an upstream and a store": {
			"base_url: http://g.example\nkeys: {valid: k}\nupstream: {listen: \"0.0.0.0:9901\"}\nstore: {postgres: \"postgres://u:${PGPASSWORD}@db.example/x\"}\n",
			[]string{"sends requests to http://g.example, with $PGPASSWORD", "serves the mock upstream at 0.0.0.0:9901", "opens the database postgres://"},
		},
		"an administrator": {
			"driver: newapi\nbase_url: http://g.example\nadmin: {token: \"${TOKEN}\"}\n",
			[]string{"sends requests to http://g.example, with $TOKEN", "creates users and channels there, as the administrator (driver newapi)"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := profile.Parse("p.yaml", []byte(tt.text), known, profile.Driver{Name: "newapi", Admin: true}, profile.Driver{Name: "reference", Embedded: true}, profile.Driver{Name: "static"})
			require.NoError(t, err)
			got := p.Reach()
			require.Len(t, got, len(tt.want))
			for i, want := range tt.want {
				assert.True(t, strings.HasPrefix(got[i], want), got[i])
			}
			assert.NotContains(t, strings.Join(got, "\n"), "secret-value")
		})
	}
}
