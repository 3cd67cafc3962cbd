package upstream

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/internal/bounded"
)

func TestRecordedTextIsBounded(t *testing.T) {
	assert.Equal(t, "short", truncated("short"))
	assert.Equal(t, strings.Repeat("x", 255), truncated(strings.Repeat("x", 255)+"é"), "not half a letter")
}

// Whatever JSON a gateway sends, it is refused with a 400 or gets an answer that is JSON.
func FuzzRequest(f *testing.F) {
	for _, e := range endpoints() {
		f.Add([]byte(e.body))
	}
	f.Add([]byte(`{"model":"m","input":[[1],[2]],"encoding_format":"base64","stream":true}`))
	operations := dialect.Operations()
	f.Fuzz(func(t *testing.T, body []byte) {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(string(body)))
		q := readBody(httptest.NewRecorder(), r, nil, 1<<20, (&bounded.Bytes{Max: 1 << 30}).Hold())
		if q.problem != nil {
			require.Equal(t, http.StatusBadRequest, q.problem.Status)
			return
		}
		for _, op := range operations {
			_, _ = q.directive(op) // any outcome will do
			if p := op.Check(q.doc); p != nil {
				require.Equal(t, http.StatusBadRequest, p.Status)
				continue
			}
			rep, err := replyTo(op, dialect.Answer{Request: q.doc, End: dialect.End{PromptTokens: dialect.CountWords(op.Texts(q.doc))}}, Directive{})
			require.NoError(t, err)
			if rep.stream == nil {
				require.True(t, json.Valid(rep.body))
				continue
			}
			for _, e := range rep.stream.Events {
				require.True(t, json.Valid(e.Data) || string(e.Data) == "[DONE]")
			}
		}
	})
}
