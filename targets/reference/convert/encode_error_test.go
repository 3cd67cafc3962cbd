package convert_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/reference/convert"
)

func TestEncodeErrorWritesTheDialectsEnvelope(t *testing.T) {
	full := dialect.Problem{Status: 404, Code: "model_not_found", Message: "No <such> model.", Type: "invalid_request_error", Param: "model"}
	bare := dialect.Problem{Status: 429, Message: "Slow down."}
	for _, tc := range []struct {
		surface    dialect.Surface
		full, bare string
	}{
		{
			dialect.Chat,
			`{"error":{"code":"model_not_found","message":"No \u003csuch\u003e model.","param":"model","type":"invalid_request_error"}}`,
			`{"error":{"code":null,"message":"Slow down.","param":null,"type":"rate_limit_error"}}`,
		},
		{
			dialect.Messages,
			`{"error":{"code":"model_not_found","message":"No \u003csuch\u003e model.","type":"not_found_error"},"type":"error"}`,
			`{"error":{"message":"Slow down.","type":"rate_limit_error"},"type":"error"}`,
		},
		{
			dialect.GenerateContent,
			`{"error":{"code":404,"details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","domain":"gatecert",` +
				`"reason":"model_not_found"}],"message":"No \u003csuch\u003e model.","status":"NOT_FOUND"}}`,
			`{"error":{"code":429,"message":"Slow down.","status":"RESOURCE_EXHAUSTED"}}`,
		},
	} {
		for _, surface := range dialect.Surfaces() {
			if surface.Dialect() == tc.surface.Dialect() {
				assert.Equal(t, tc.full, string(convert.EncodeError(surface, full)), surface)
				assert.Equal(t, tc.bare, string(convert.EncodeError(surface, bare)), surface)
			}
		}
	}
}

func TestEncodeErrorNamesTheStatusInTheDialectsWords(t *testing.T) {
	for _, tc := range []struct {
		status                    int
		openAI, anthropic, google string
	}{
		{400, "invalid_request_error", "invalid_request_error", "INVALID_ARGUMENT"},
		{401, "authentication_error", "authentication_error", "UNAUTHENTICATED"},
		{402, "invalid_request_error", "billing_error", "RESOURCE_EXHAUSTED"},
		{403, "permission_error", "permission_error", "PERMISSION_DENIED"},
		{404, "invalid_request_error", "not_found_error", "NOT_FOUND"},
		{405, "invalid_request_error", "invalid_request_error", "INVALID_ARGUMENT"},
		{409, "invalid_request_error", "invalid_request_error", "ABORTED"},
		{413, "invalid_request_error", "request_too_large", "INVALID_ARGUMENT"},
		{429, "rate_limit_error", "rate_limit_error", "RESOURCE_EXHAUSTED"},
		{499, "invalid_request_error", "invalid_request_error", "CANCELLED"},
		{500, "server_error", "api_error", "INTERNAL"},
		{501, "server_error", "api_error", "UNIMPLEMENTED"},
		{502, "server_error", "api_error", "UNAVAILABLE"},
		{503, "server_error", "api_error", "UNAVAILABLE"},
		{504, "server_error", "timeout_error", "DEADLINE_EXCEEDED"},
		{529, "server_error", "overloaded_error", "UNAVAILABLE"},
		{0, "server_error", "api_error", "INTERNAL"},
	} {
		e := dialect.Problem{Status: tc.status, Message: "m"}
		assert.Contains(t, string(convert.EncodeError(dialect.Chat, e)), `"type":"`+tc.openAI+`"`, tc.status)
		assert.Contains(t, string(convert.EncodeError(dialect.Messages, e)), `"type":"`+tc.anthropic+`"`, tc.status)
		assert.Contains(t, string(convert.EncodeError(dialect.GenerateContent, e)), `"status":"`+tc.google+`"`, tc.status)
	}
}

func TestStreamErrorsAreTheDialectsOwnEvent(t *testing.T) {
	for surface, want := range map[dialect.Surface]string{
		dialect.ChatStream:      "data: {\"error\":{\"code\":\"bad_response\",\"message\":\"m\",\"param\":null,\"type\":\"server_error\"}}\n\n",
		dialect.ResponsesStream: "data: {\"error\":{\"code\":\"bad_response\",\"message\":\"m\",\"param\":null,\"type\":\"server_error\"}}\n\n",
		dialect.MessagesStream: "event: error\ndata: {\"error\":{\"code\":\"bad_response\",\"message\":\"m\",\"type\":\"api_error\"}," +
			"\"type\":\"error\"}\n\n",
		dialect.GenerateStream: "data: {\"error\":{\"code\":502,\"details\":[{\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\"," +
			"\"domain\":\"gatecert\",\"reason\":\"bad_response\"}],\"message\":\"m\",\"status\":\"UNAVAILABLE\"}}\n\n",
	} {
		e, err := convert.NewStreamEncoder(surface, convert.Head{}, nil)
		require.NoError(t, err)
		assert.Equal(t, want, string(e.Error(dialect.Problem{Status: 502, Code: "bad_response", Message: "m"})))
	}
}
