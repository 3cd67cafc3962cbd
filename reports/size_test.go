//go:build !race

// A page of thousands of cases is rendered by one goroutine; with the race detector this takes five times as long.

package reports_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/runlog"
)

func TestPageStaysSmallWhateverTheGatewayWrote(t *testing.T) {
	for name, run := range map[string]runlog.Run{"3,000 hostile cases": crowd(3000), "bodies of 10 MB": giants()} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			require.NoError(t, reports.HTML(&out, run))
			assert.Less(t, out.Len(), pageLimit)
			assert.True(t, utf8.Valid(out.Bytes()))
		})
	}
	var out bytes.Buffer
	require.NoError(t, reports.HTML(&out, crowd(5000)))
	kept := strings.Count(out.String(), `"id":"http:400/`)
	assert.Greater(t, kept, 400)
	assert.Contains(t, out.String(), fmt.Sprintf(`"left":%d`, 5000-kept))
}

// giants is a run whose answers have ten million bytes each, none of them UTF-8.
func giants() runlog.Run {
	run := hostileRun()
	for i := range run.Cases {
		run.Cases[i].Observation.Body = bytes.Repeat([]byte("\xff\x1b[2J"), 2_000_000)
	}
	return run
}

func TestPageStaysSmall(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, reports.HTML(&out, crowd(450)))
	assert.Less(t, out.Len(), pageLimit)
	assert.Equal(t, 450, strings.Count(out.String(), `"id":"http:400/`))
}
