package gatecert_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/targets/profile"
)

// A count that is made up is a fault of the gateway, also where it is so for every model: clients believe it.
func TestMadeUpCountsOfTokensFail(t *testing.T) {
	forged := func(count string, always bool) profile.Profile {
		return served(t, func(gateway http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				answer := httptest.NewRecorder()
				gateway.ServeHTTP(answer, r)
				if !strings.HasSuffix(r.URL.Path, "/count_tokens") || !always && answer.Code != http.StatusOK {
					maps.Copy(w.Header(), answer.Header())
					w.WriteHeader(answer.Code)
					_, _ = w.Write(answer.Body.Bytes())
					return
				}
				w.Header().Set("Content-Type", "application/json")
				_, _ = w.Write([]byte(`{"input_tokens":` + count + `}`))
			})
		})
	}
	const unsupported = "http:404/unknown-path/count-tokens/unsupported"
	for name, want := range map[string]struct {
		target profile.Profile
		failed []string
	}{
		"0 for everything":     {forged("0", true), []string{"http:401/missing-key/count-tokens", "http:404/unknown-model/count-tokens", unsupported}},
		"0 for every request":  {forged("0", false), []string{unsupported}},
		"42 for every request": {forged("42", false), []string{unsupported}},
	} {
		t.Run(name, func(t *testing.T) {
			delete(want.target.Circumstances, "unknown-path/unsupported")
			r := run(t, gatecert.Config{Target: want.target, Level: contract.Account, Rows: []string{"http:401", "http:404"}, Surfaces: []string{"count-tokens"}})
			assert.Equal(t, contract.Fail, r.Verdict())
			for _, c := range r.Cases {
				if slices.Contains(want.failed, c.ID) {
					assert.Equal(t, contract.Fail, c.Verdict, "%s %s", c.ID, c.Reason)
				}
			}
			assert.Contains(t, strings.Join(r.Footer.Notes, "\n"), "it does not really count")
		})
	}
}
