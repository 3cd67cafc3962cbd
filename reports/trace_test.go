package reports

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// A log may be a stranger's: what is not the address of a page is not linked.
func TestOnlyPagesAreLinked(t *testing.T) {
	const id = "67617465636572740123456789ab6763"
	c := runlog.Case{Observation: &contract.Observation{Sent: contract.Sent{Header: map[string][]string{
		"Traceparent": {"00-" + id + "-0123456789ab0001-00"}, "X-Request-Id": {"gatecert-0123456789ab\x1b[2J"},
	}}}}
	for template, want := range map[string]string{
		"":                             "",
		"https://t.example/{trace_id}": "https://t.example/" + id,
		"https://t.example/{trace_id}\"onclick=x ":                      "https://t.example/" + id + "%22onclick=x%20", //nolint:gocritic // a hostile URL
		"https://t.example/":                                            "",
		"javascript:alert('{trace_id}')":                                "",
		"data:text/html,{trace_id}":                                     "",
		"https://user:word@t.example/{trace_id}":                        "",
		"https:///{trace_id}":                                           "",
		"https://t.example/{trace_id}" + strings.Repeat("x", textLimit): "",
	} {
		trace := TraceOf(c, template)
		require.NotNil(t, trace)
		assert.Equal(t, want, trace.URL, template)
		assert.Equal(t, id, trace.ID)
		assert.NotContains(t, trace.text(), "\x1b")
	}
	assert.Nil(t, TraceOf(runlog.Case{}, "https://t.example/{trace_id}"))
	c.Observation.Sent.Header["Traceparent"] = []string{"<script>"}
	assert.Nil(t, TraceOf(c, "https://t.example/{trace_id}"))
	assert.Empty(t, (*Trace)(nil).text())
}
