package clients

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
)

func TestTheGatewayGetsTheKeyOfTheCase(t *testing.T) {
	t.Parallel()
	type received struct {
		request *http.Request
		body    string
	}
	requests := make(chan received, 10)
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		requests <- received{r, string(raw)}
		refused(w, r)
	}))
	defer gateway.Close()
	transport := newTransport(nil)
	defer transport.CloseIdleConnections()
	call := exchange.Call{
		Surface: dialect.Chat, BaseURL: gateway.URL + "/base", Key: "sk-real", Model: "m", Prompt: "p",
		Header: map[string]string{"X-Route": "a", "Accept": "text/html"},
	}

	handler, err := gatewayHandler(call, false, transport)
	require.NoError(t, err)
	made, _ := played(t, "honest", enough, handler.ServeHTTP)
	require.Len(t, made.Attempts, 1)
	assert.Equal(t, 429, made.Attempts[0].Status)
	seen := <-requests
	assert.Equal(t, "/base/v1/chat/completions", seen.request.URL.Path)
	assert.Equal(t, "Bearer sk-real", seen.request.Header.Get("Authorization"))
	assert.Equal(t, "a", seen.request.Header.Get("X-Route"))
	assert.NotEqual(t, "text/html", seen.request.Header.Get("Accept"), "the client's own stays")
	assert.Empty(t, seen.request.Header.Get("X-Forwarded-For"))
	assert.JSONEq(t, `{"model":"m","messages":[{"role":"user","content":"p"}]}`, seen.body)

	call.Key = ""
	handler, err = gatewayHandler(call, false, transport)
	require.NoError(t, err)
	_, _ = played(t, "honest", enough, handler.ServeHTTP)
	seen = <-requests
	assert.NotContains(t, seen.request.Header, "Authorization", "the case is about a missing key")

	call.Fault = exchange.CutJSON
	handler, err = gatewayHandler(call, true, transport)
	require.NoError(t, err)
	made, _ = played(t, "honest", enough, handler.ServeHTTP)
	assert.Equal(t, 429, made.Attempts[0].Status)
	seen = <-requests
	assert.NotContains(t, seen.body, `"p"}]}`, "the request of the case stands in the place of the client's")
	assert.Contains(t, seen.body, `"model":"m"`)
}

func TestAGatewayThatDoesNotAnswerIsMetByTheClient(t *testing.T) {
	t.Parallel()
	gateway := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer gateway.Close()
	transport := newTransport(nil)
	defer transport.CloseIdleConnections()
	handler, err := gatewayHandler(exchange.Call{Surface: dialect.Chat, BaseURL: gateway.URL, Key: "k", Model: "m"}, false, transport)
	require.NoError(t, err)
	made, _ := played(t, "honest", enough, handler.ServeHTTP)
	require.Len(t, made.Attempts, 1)
	assert.Zero(t, made.Attempts[0].Status)
	assert.True(t, made.Attempts[0].Broken)
}
