package newapi

import (
	"maps"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

// defaultOptions are those of a new deployment.
func defaultOptions() map[string]string {
	return map[string]string{
		"QuotaPerUnit": "500000", "RetryTimes": "0", "SelfUseModeEnabled": "false", "performance_setting.monitor_enabled": "true",
		"ModelRequestRateLimitEnabled": "false", "SensitiveWords": "test_sensitive\nother", "CheckSensitiveEnabled": "true",
		"CheckSensitiveOnPromptEnabled": "true", "PasswordLoginEnabled": "true", "TurnstileCheckEnabled": "false",
	}
}

func TestInspectionListsTheChanges(t *testing.T) {
	always := []string{"users, tokens", "channels"}
	for _, tt := range []struct {
		name    string
		options map[string]string
		store   profile.DB
		product product
		want    []string
		word    string
	}{
		{"a new deployment", nil, profile.DB{}, newAPI, []string{
			"option performance_setting.monitor_enabled: true -> false, during the run (the gateway would otherwise return 503 for every call when CPU usage exceeds 90 %)",
			"option RetryTimes: 0 -> 1, only while the cases that need this value run (one case disables a channel during a call, and the gateway notices this only when it retries the call)",
		}, "test_sensitive"},
		{"one that retries already", map[string]string{"RetryTimes": "2", "performance_setting.monitor_enabled": "false"}, profile.DB{}, newAPI, nil, "test_sensitive"},
		{"one in self-use mode", map[string]string{"SelfUseModeEnabled": "true"}, profile.DB{}, newAPI, []string{
			"option SelfUseModeEnabled: true -> false, only while the cases that need this value run (these cases test models without a price, which the gateway accepts in self-use mode)",
		}, "test_sensitive"},
		{"one that does not check for words", map[string]string{"CheckSensitiveEnabled": "false"}, profile.DB{}, newAPI, []string{
			"option SensitiveWords: test_sensitive other -> gc-5ca1ab-word, only while the cases that need this value run (to test a prompt that contains a sensitive word)",
			"option CheckSensitiveEnabled: false -> true, only while the cases that need this value run (to test a prompt that contains a sensitive word)",
		}, "gc-5ca1ab-word"},
		{"one that limits everybody already", map[string]string{"ModelRequestRateLimitEnabled": "true"}, profile.DB{}, newAPI, nil, "test_sensitive"},
		{"one with a store in the profile", nil, profile.DB{SQLite: "x.db"}, newAPI, []string{
			"the store: during the store cases, the tables tokens and user_subscriptions are briefly renamed, and writes to the database row of the run's user are blocked" +
				" (to simulate a failing store; meanwhile, other clients' calls fail)",
		}, "test_sensitive"},
		{"a one-api that disables channels", map[string]string{"AutomaticDisableChannelEnabled": "true"}, profile.DB{}, oneAPI, []string{
			"option AutomaticDisableChannelEnabled: true -> false, during the run (the upstream fails in many cases, and the gateway would otherwise disable the run's channels one after another)",
		}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &optionServer{options: defaultOptions()}
			maps.Copy(s.options, tt.options)
			c, _ := clientOf(t, s, profile.Admin{Token: "admin-token"})
			c.product = tt.product
			s.answers = []func(w http.ResponseWriter){func(w http.ResponseWriter) {
				_, _ = w.Write([]byte(`{"success":true,"data":{"version":"v1","setup":true}}`))
			}}
			found, err := inspect(t.Context(), c, profile.Profile{Store: tt.store}, testTag)
			require.NoError(t, err)
			text := changesText(found.changes)
			for _, change := range append(tt.want, always...) {
				assert.Contains(t, text, change)
			}
			assert.Equal(t, tt.word, found.listedWord)
			if tt.options["RetryTimes"] == "2" {
				assert.NotContains(t, text, "RetryTimes")
				assert.Equal(t, 2, found.retries)
			}
		})
	}
}

func TestDeploymentsThatCannotBePrepared(t *testing.T) {
	for _, tt := range []struct {
		name, status string
		options      map[string]string
		text         string
	}{
		{"not set up", `{"success":true,"data":{"setup":false}}`, nil, "the gateway has not been set up yet"},
		{"another kind of server", `<html>hello`, nil, "with a body that is not an admin API response"},
		{"no password login", `{"success":true,"data":{}}`, map[string]string{"PasswordLoginEnabled": "false"}, "PasswordLoginEnabled is off"},
		{"only people can sign in", `{"success":true,"data":{}}`, map[string]string{"TurnstileCheckEnabled": "true"}, "TurnstileCheckEnabled is on"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &optionServer{options: tt.options, answers: []func(http.ResponseWriter){func(w http.ResponseWriter) {
				_, _ = w.Write([]byte(tt.status))
			}}}
			c, _ := clientOf(t, s, profile.Admin{Token: "admin-token"})
			_, err := inspect(t.Context(), c, profile.Profile{}, testTag)
			require.ErrorIs(t, err, targets.ErrCannotPrepare)
			assert.Contains(t, err.Error(), tt.text)
		})
	}
}

func TestUsageLog(t *testing.T) {
	for _, tt := range []struct {
		name    string
		rows    []logRow
		log     string
		charged float64
	}{
		{"nothing", nil, "", 0},
		{"a failure that cost nothing", []logRow{{Type: errorRow, Other: `{"error_code":"do_request_failed","status_code":500}`}},
			"failed with do_request_failed (500)", 0},
		{"a charge", []logRow{{Type: chargedRow, Quota: 2}}, "charged 2", 2},
		{"a charge for an interrupted stream", []logRow{{Type: chargedRow, Quota: 2,
			Other: `{"stream_status":{"status":"error","end_reason":"scanner_error","end_error":"unexpected EOF"}}`}},
			"charged 2 for a stream that ended with error scanner_error unexpected EOF", 2},
		{"a failed and a charged attempt", []logRow{{Type: chargedRow, Quota: 3}, {Type: errorRow, Other: "not JSON"}}, "charged 3; failed", 3},
		{"rows of other kinds", []logRow{{Type: 3, Quota: 9}}, "", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var o contract.Observation
			addCosts(tt.rows, &o)
			assert.Equal(t, tt.log, o.GatewayLog)
			assert.InDelta(t, tt.charged, o.Balance.Before-o.Balance.After, 0)
		})
	}
}
