package reports_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports"
)

func TestJSONHasTheAspectsThatExist(t *testing.T) {
	run := goodRun()
	run.Cases[0].Aspects = map[contract.Aspect]contract.Result{contract.AspectCode: contract.Violated, "evil": contract.Held, contract.AspectLeaks: "maybe"}
	var out bytes.Buffer
	require.NoError(t, reports.JSON(&out, run))
	assert.Contains(t, out.String(), "\"aspects\": {\n        \"code\": \"violated\"\n      }")
	assert.NotContains(t, out.String(), "evil")
}
