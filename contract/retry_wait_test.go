package contract

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestRetryWait(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name   string
		header map[string][]string
		want   time.Duration
	}{
		{"nothing", nil, 0},
		{"seconds", map[string][]string{"Retry-After": {"7"}}, 7 * time.Second},
		{"none to wait", map[string][]string{"Retry-After": {"0"}}, 0},
		{"a fraction", map[string][]string{"Retry-After": {"1.5"}}, 0},
		{"a sign", map[string][]string{"Retry-After": {"+5"}}, 0},
		{"a word", map[string][]string{"Retry-After": {"soon"}}, 0},
		{"beyond any number", map[string][]string{"Retry-After-Ms": {"99999999999999999999"}}, 9223372036854 * time.Millisecond},
		{"a Unix timestamp", map[string][]string{"Retry-After": {"1795953609"}}, 9 * time.Second},
		{"a date", map[string][]string{"Retry-After": {"Sun, 29 Nov 2026 12:00:30 GMT"}}, 30 * time.Second},
		{"a date in an obsolete form", map[string][]string{"Retry-After": {"Sunday, 29-Nov-26 12:00:30 GMT"}}, 30 * time.Second},
		{"a date that has passed", map[string][]string{"Retry-After": {"Sun, 29 Nov 2026 11:59:00 GMT"}}, 0},
		{"a date by the gateway's own clock", map[string][]string{
			"Retry-After": {"Sun, 29 Nov 2026 13:00:05 GMT"}, "Date": {"Sun, 29 Nov 2026 13:00:00 GMT"},
		}, 5 * time.Second},
		{"milliseconds", map[string][]string{"Retry-After-Ms": {"1500"}}, 1500 * time.Millisecond},
		{"milliseconds come first", map[string][]string{"Retry-After-Ms": {"1500"}, "Retry-After": {"60"}}, 1500 * time.Millisecond},
		{"milliseconds that are none", map[string][]string{"Retry-After-Ms": {"-1"}, "Retry-After": {"60"}}, time.Minute},
	} {
		assert.Equal(t, tt.want, RetryWaitOf(Observation{Header: tt.header}).From(now), tt.name)
	}
	for value, reasonable := range map[string]bool{"0": true, "86400": true, "86401": false, "99999999999999999999": false, "": false, "soon": false} {
		assert.Equal(t, reasonable, ReadRetryAfter(value).Reasonable(), value)
	}
}
