package dialect

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFindRoute(t *testing.T) {
	for _, row := range []struct {
		method, target string
		operation      Operation
		model          string
		status         int // of the problem, 0 for none
	}{
		{"POST", "/chat/completions", chat{}, "", 0},
		{"POST", "/a/b/completions", completions{}, "", 0},
		{"POST", "/v1/models/m:generateContent", generate{}, "m", 0},
		{"POST", "/v1beta/models/a:b:streamGenerateContent", generate{streamed: true, array: true}, "a:b", 0},
		{"POST", "/v1beta/models/vendor%2Fm:streamGenerateContent?alt=sse", generate{streamed: true}, "vendor/m", 0},
		{"POST", "/v1beta/models/m:embedContent", embed{}, "m", 0},
		{"GET", "/v1/models", models{}, "", 0},
		{"POST", "/v1/models", nil, "", 405},
		{"GET", "/v1/chat/completions", nil, "", 405},
		{"GET", "/v1beta/models", nil, "", 404},
		{"POST", "/v1beta/models/:generateContent", nil, "", 404},
		{"POST", "/v1beta/models/m", nil, "", 404},
		{"POST", "/", nil, "", 404},
	} {
		r := httptest.NewRequest(row.method, row.target, nil)
		to := FindRoute(r.Method, r.URL.Path, Presented{Header: r.Header.Get, Query: r.URL.Query().Get})
		assert.Equal(t, row.operation, to.Operation, row.target)
		assert.NotNil(t, to.Format)
		if row.status != 0 {
			require.NotNil(t, to.Problem, row.target)
			assert.Equal(t, row.status, to.Problem.Status, row.target)
			continue
		}
		assert.Nil(t, to.Problem)
		assert.Equal(t, row.model, to.Model)
	}
}

func TestWhatTheRealAPIsAcceptIsAccepted(t *testing.T) {
	for _, row := range []struct {
		operation Operation
		body      string
	}{
		{chat{}, `{"model":"m","messages":[{"role":"assistant","content":null,"tool_calls":[]},{"role":"tool","content":"x","tool_call_id":"1"}]}`},
		{chat{}, `{"model":"m","messages":[{"role":"developer","content":[]}],"temperature":null,"unheard_of":{}}`},
		{chat{}, `{"model":"m","messages":[{"role":"user","content":"x"}],"temperature":2,"n":1,"max_tokens":1}`},
		{completions{}, `{"model":"m","prompt":[[1,2],[3]]}`},
		{responses{}, `{"model":"m","input":[{"type":"function_call_output","output":"x"}]}`},
		{embeddings{}, `{"model":"m","input":[1,2]}`},
		{messages{}, `{"model":"m","max_tokens":1,"messages":[{"role":"user","content":[{"type":"text","text":"x"}]}],"system":[]}`},
		{generate{}, `{"contents":[{"role":"model","parts":[{"functionCall":{}}]}],"generationConfig":{"candidateCount":1}}`},
	} {
		var doc Object
		require.NoError(t, json.Unmarshal([]byte(row.body), &doc))
		assert.Nil(t, row.operation.Check(doc), row.body)
	}
}

func TestHealthyText(t *testing.T) {
	assert.Equal(t, []string{"All"}, HealthyText(1))
	assert.Equal(t, "All is well. Truly, all is well. All is", strings.Join(HealthyText(9), ""))
}

// A body that is all nesting must not cost more than its size.
func TestDeeplyNestedTexts(t *testing.T) {
	leaves := "[" + strings.Repeat(`"x",`, 100_000) + `"x"]`
	var doc Object
	require.NoError(t, json.Unmarshal([]byte(`{"input":`+strings.Repeat("[", 9000)+leaves+strings.Repeat("]", 9000)+`}`), &doc))
	assert.Len(t, embeddings{}.Texts(doc), 100_001)
}
