//go:build !race

// The whole contract on the second gateway: make test-whole.

package secondgateway_test

import (
	"os"
	"slices"
	"testing"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/internal/secondgateway"
	"github.com/gatecert/gatecert/targets/profile"
)

func TestASecondConformantGatewayPassesEveryCase(t *testing.T) {
	for i, tt := range []struct {
		name, format string
		options      secondgateway.Options
		change       func(p *profile.Profile)
	}{
		{"nothing of a stream before its end", "openai", secondgateway.Options{}, func(*profile.Profile) {}},
		{
			"errors after the first piece in the stream", "anthropic", secondgateway.Options{ErrorsInStream: true},
			func(p *profile.Profile) { p.Balance = profile.Balance{} }, // once is enough: these cases run one after the other
		},
		{"streams that begin before the upstream is asked", "openai", secondgateway.Options{BeginsEarly: true}, func(p *profile.Profile) {
			p.Balance = profile.Balance{}
			p.Surfaces = slices.DeleteFunc(p.Surfaces, func(s dialect.Surface) bool { return !s.Streaming() })
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if i > 0 && os.Getenv("GATECERT_ACCEPTANCE") == "" {
				t.Skip("make accept-judge certifies the other styles too")
			}
			t.Parallel() // most of a run is waiting
			target := start(t, tt.format, tt.options)
			tt.change(&target)
			passesAll32Rows(t, certify(t, gatecert.Config{Target: target}))
		})
	}
}
