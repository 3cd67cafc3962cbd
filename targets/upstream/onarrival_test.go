package upstream

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/gatecert/gatecert/contract"
)

func TestOnArrivalComesBeforeTheResponse(t *testing.T) {
	var arrived []contract.Attempt
	answer := httptest.NewRecorder()
	u := New(Options{OnArrival: func(a contract.Attempt) {
		assert.False(t, answer.Flushed || answer.Body.Len() > 0, "nothing has been answered yet")
		arrived = append(arrived, a)
	}})
	body := `{"model":"m-1","messages":[{"role":"user","content":"[[gatecert token=a status=500]] hi"}]}`
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/chat/completions", strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer any")
	u.ServeHTTP(answer, r)
	assert.Equal(t, http.StatusInternalServerError, answer.Code)
	if assert.Len(t, arrived, 1) {
		assert.Equal(t, "m-1", arrived[0].Model)
		assert.Equal(t, "/v1/chat/completions", arrived[0].Path)
	}
}
