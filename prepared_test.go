package gatecert_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets/profile"
)

// A key or a recipe of the profile may not be what the profile says. The report tells, and judges by the answers all the same.
func TestReportsDoubtWhatTheProfilePrepared(t *testing.T) {
	target := served(t, func(g http.Handler) http.Handler { return g })
	run := func(t *testing.T, rows []string, change func(*profile.Profile)) runlog.Run {
		t.Helper()
		p := target
		p.Circumstances = maps.Clone(target.Circumstances)
		p.Limits.Rate = profile.Rate{} // its key is one that works
		change(&p)
		r, err := certify(t.Context(), gatecert.Config{Target: p, Rows: rows, Surfaces: []string{"chat"}})
		require.NoError(t, err)
		return r
	}
	find := func(r runlog.Run, circumstance string) (verdict contract.Verdict, findings string) {
		for _, c := range r.Cases {
			if c.Circumstance == circumstance {
				var list []string
				for _, f := range c.Findings {
					list = append(list, f.String())
				}
				return c.Verdict, strings.Join(list, "\n")
			}
		}
		return "", ""
	}
	rows := []string{"http:403", "code:pre_consume_token_quota_failed", "code:model_price_error"}

	r := run(t, rows, func(*profile.Profile) {})
	assert.True(t, r.Verdict().Conformant(), failures(r))
	assert.Empty(t, r.Footer.Notes, "nothing is doubted where all is as the profile says")

	r = run(t, rows, func(p *profile.Profile) {
		p.Keys.Revoked = target.Limits.Rate.Key
		p.Keys.SpentKey += "x"
		p.Circumstances["unpriced-model"] = profile.Recipe{Model: p.Models.Default}
	})
	notes := strings.Join(r.Footer.Notes, "\n")
	assert.Contains(t, notes, "keys.revoked: a call with this key on chat succeeded: either the key is not what the profile declares it to be, or the gateway accepts such keys")
	assert.Contains(t, notes, "keys.spent_key: the gateway rejects this key with 401, like a key that was never issued; check that the key is spelled correctly")
	for circumstance, want := range map[string]string{
		"revoked-key":    "200 with an ordinary answer; check that keys.revoked causes the error",
		"unpriced-model": "200 with an ordinary answer; check that the recipe causes the error",
		"spent-key":      "401; the gateway may not know the key, because it gave the same response to a key that was never issued",
	} {
		verdict, findings := find(r, circumstance)
		assert.Equal(t, contract.Fail, verdict, circumstance)
		assert.Contains(t, findings, want)
	}
}
