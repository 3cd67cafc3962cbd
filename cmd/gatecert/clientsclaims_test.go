package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/reports/clientlog"
)

// The records that claims are compared with.
const (
	clientsRecord = "../../clients/recorded.json"
	// slowRecord has the probes that take minutes, newerRecord newer versions of two npm packages, which ask for Node 22.
	slowRecord  = "../../clients/recorded-slow.json"
	newerRecord = "../../clients/recorded-newer.json"
)

// claim is what is said of client libraries, and what the records show.
type claim struct {
	says string
	// found is what was found: "confirmed", or what is right instead.
	found  string
	record string
	seen   []seen
}

// seen is what clients did with probes.
type seen struct {
	clients, probes []string
	marks           string
	// says is a part of the sentence. within are the bounds of the first wait in milliseconds, where it is set.
	says   string
	within [2]int64
	// version is the API version that was asked for.
	version string
	hidden  bool // the message lacks the code
}

func statusProbes(statuses ...int) (names []string) {
	for _, status := range statuses {
		names = append(names, clientlog.StatusProbe(status))
	}
	return names
}

func claims() []claim {
	stainless := []string{"openai-go", "anthropic-go", "anthropic-go-v2", "openai-node", "anthropic-node"}
	openai, anthropic, genai := []string{"openai-go", "openai-node"}, []string{"anthropic-go", "anthropic-go-v2", "anthropic-node"}, []string{"genai-go", "genai-node"}
	anthropicGo := []string{"anthropic-go", "anthropic-go-v2"}
	retried, refused := statusProbes(408, 409, 429, 500, 502, 503, 529), statusProbes(400, 401, 402, 403, 404, 413, 422)
	one := func(name string) []string { return []string{name} }
	return []claim{
		{"openai-go, anthropic-sdk-go v1 and v2, openai and @anthropic-ai/sdk retry twice after 408, 409, 429, 5xx or no response", "confirmed", clientsRecord, []seen{
			{clients: stainless, probes: retried, marks: "●●●"}, {clients: stainless, probes: one("no-answer"), marks: "×××"}, {clients: stainless, probes: refused, marks: "●"},
		}},
		{"the five OpenAI and Anthropic libraries obey x-should-retry rather than the status", "confirmed", clientsRecord, []seen{
			{clients: stainless, probes: one("should-retry-false"), marks: "●"}, {clients: stainless, probes: one("should-retry-true"), marks: "●●●"},
		}},
		{"the five OpenAI and Anthropic libraries prefer Retry-After-Ms to Retry-After", "confirmed", clientsRecord, []seen{
			{clients: stainless, probes: one("retry-after-ms"), marks: "●●●", within: [2]int64{1450, 3500}},
		}},
		{"without a Retry-After-Ms or Retry-After header, the five OpenAI and Anthropic libraries wait about half a second before the first retry", "confirmed", clientsRecord, []seen{
			{clients: stainless, probes: statusProbes(503), marks: "●●●", within: [2]int64{300, 2000}},
		}},
		{"openai-go gives up immediately if Retry-After is longer than two minutes", "confirmed", slowRecord, []seen{
			{clients: one("openai-go"), probes: one("retry-after-200"), marks: "●", says: "sends the request once and raises apierror.Error (429)"},
			{clients: one("openai-go"), probes: one("retry-after-70"), marks: "●●●", within: [2]int64{69_000, 80_000}},
		}},
		{"anthropic-sdk-go obeys Retry-After without an upper limit", "confirmed up to 200 s", slowRecord, []seen{
			{clients: anthropicGo, probes: one("retry-after-200"), marks: "●●●", within: [2]int64{199_000, 215_000}},
		}},
		{"openai (npm) ignores a Retry-After that is over 60 s or negative", "confirmed for 7.59.0", newerRecord, []seen{
			{clients: one("openai-node"), probes: []string{"retry-after-70", "retry-after-negative"}, marks: "●●●", within: [2]int64{300, 2000}},
		}},
		{"the openai (npm) version that runs on Node 20 also ignores a Retry-After over 60 s", "wrong: 6.49.0 obeys a Retry-After of 70 s and one of 200 s", slowRecord, []seen{
			{clients: one("openai-node"), probes: one("retry-after-70"), marks: "●●●", within: [2]int64{69_000, 80_000}},
			{clients: one("openai-node"), probes: one("retry-after-200"), marks: "●●●", within: [2]int64{199_000, 215_000}},
		}},
		{"the five OpenAI and Anthropic libraries ignore a negative Retry-After", "wrong for openai 6.49.0 and anthropic-sdk-go, which retry immediately", clientsRecord, []seen{
			{clients: []string{"openai-node", "anthropic-go", "anthropic-go-v2"}, probes: one("retry-after-negative"), marks: "●●●", within: [2]int64{0, 200}},
			{clients: []string{"openai-go", "anthropic-node"}, probes: one("retry-after-negative"), marks: "●●●", within: [2]int64{300, 2000}},
		}},
		{"@anthropic-ai/sdk ignores a Retry-After that is 0 or in the past", "confirmed; the other four OpenAI and Anthropic libraries retry immediately", clientsRecord, []seen{
			{clients: one("anthropic-node"), probes: []string{"retry-after-0", "retry-after-past"}, marks: "●●●", within: [2]int64{300, 2000}},
			{clients: []string{"openai-go", "anthropic-go", "anthropic-go-v2", "openai-node"}, probes: one("retry-after-past"), marks: "●●●", within: [2]int64{0, 200}},
		}},
		{"openai-go exposes the code in err.Code, but not in the error text", "confirmed", clientsRecord, []seen{
			{clients: one("openai-go"), probes: one("quota-403"), marks: "●", says: "the code is in err.Code", hidden: true},
		}},
		{"openai (npm) exposes the code in err.code and has an error class for each status", "confirmed", clientsRecord, []seen{
			{clients: one("openai-node"), probes: one("quota-403"), marks: "●", says: "raises PermissionDeniedError (403); the code is in err.code"},
			{clients: one("openai-node"), probes: one("quota-429"), marks: "●●●", says: "raises RateLimitError (429); the code is in err.code"},
		}},
		{"Anthropic's libraries do not expose error.code in a field; anthropic-sdk-go v2 (ErrorCode()) and @anthropic-ai/sdk (.errorCode) expose error.details.error_code instead, but anthropic-sdk-go v1 does not", "confirmed", clientsRecord, []seen{
			{clients: anthropicGo, probes: one("quota-403"), marks: "●", says: "only in the raw body, at err.RawJSON().error.code"},
			{clients: one("anthropic-node"), probes: one("quota-403"), marks: "●", says: "only in the raw body, at err.error.error.code"},
			{clients: one("anthropic-go-v2"), probes: one("code-in-details"), marks: "●", says: "the code is in err.ErrorCode()"},
			{clients: one("anthropic-node"), probes: one("code-in-details"), marks: "●", says: "the code is in err.errorCode"},
			{clients: one("anthropic-go"), probes: one("code-in-details"), marks: "●", says: "only in the raw body"},
		}},
		{"anthropic-sdk-go v1 requests API version 2023-06-01, and v2 requests 2026-10-21", "confirmed", clientsRecord, []seen{
			{clients: one("anthropic-go"), probes: one("quota-403"), marks: "●", version: "2023-06-01"}, {clients: one("anthropic-go-v2"), probes: one("quota-403"), marks: "●", version: "2026-10-21"},
		}},
		{"@anthropic-ai/sdk has separate error classes for 402, 413, 501, 503, 504 and 529", "confirmed", clientsRecord, []seen{
			{clients: one("anthropic-node"), probes: statusProbes(402), marks: "●", says: "raises PaymentRequiredError"},
			{clients: one("anthropic-node"), probes: statusProbes(413), marks: "●", says: "raises ContentTooLargeError"},
			{clients: one("anthropic-node"), probes: statusProbes(501), marks: "●●●", says: "raises NotImplementedError"},
			{clients: one("anthropic-node"), probes: statusProbes(503), marks: "●●●", says: "raises ServiceUnavailableError"},
			{clients: one("anthropic-node"), probes: statusProbes(504), marks: "●●●", says: "raises GatewayTimeoutError"},
			{clients: one("anthropic-node"), probes: statusProbes(529), marks: "●●●", says: "raises OverloadedError"},
		}},
		{"neither genai library retries", "confirmed", clientsRecord, []seen{
			{clients: genai, probes: slices.Concat(retried, refused, one("should-retry-true")), marks: "●"}, {clients: genai, probes: one("no-answer"), marks: "×"},
		}},
		{"genai for Go exposes the code in details[].reason; @google/genai shows the code only in the error message", "confirmed", clientsRecord, []seen{
			{clients: one("genai-go"), probes: one("quota-403"), marks: "●", says: `the code is in err.Details[0]["reason"]`},
			{clients: one("genai-node"), probes: one("quota-403"), marks: "●", says: "only in the text of the message"},
		}},
		{"the npm package ai retries 408, 409, 429 and 5xx twice, after 2 s and 4 s", "confirmed", clientsRecord, []seen{
			{clients: one("ai-sdk"), probes: retried, marks: "●●●", within: [2]int64{1900, 3900}},
		}},
		{"the npm package ai obeys retry-after-ms and a Retry-After below 60 s, but not x-should-retry", "confirmed", clientsRecord, []seen{
			{clients: one("ai-sdk"), probes: one("retry-after-ms"), marks: "●●●", within: [2]int64{1450, 1950}},
			{clients: one("ai-sdk"), probes: one("should-retry-false"), marks: "●●●"}, {clients: one("ai-sdk"), probes: one("should-retry-true"), marks: "●"},
		}},
		{"the npm package ai ignores a Retry-After over 60 s", "confirmed", slowRecord, []seen{
			{clients: one("ai-sdk"), probes: []string{"retry-after-70", "retry-after-200"}, marks: "●●●", within: [2]int64{1900, 3900}},
		}},
		{"LangChain sends a request up to seven times", "confirmed", slowRecord, []seen{
			{clients: one("langchain"), probes: []string{"status-503", "retry-after-1"}, marks: "●●●●●●●"},
		}},
		{"LangChain does not retry after 400 to 407, 409 or 413", "confirmed; LangChain retries after 408, 415, 422 and 5xx", clientsRecord, []seen{
			{clients: one("langchain"), probes: statusProbes(400, 401, 402, 403, 404, 409, 413), marks: "●"},
			{clients: one("langchain"), probes: statusProbes(408, 415, 422, 500, 503), marks: "●●…"},
		}},
		{"LangChain stops retrying on the code insufficient_quota, but not on the code insufficient_user_quota", "confirmed if the response has a Retry-After", slowRecord, []seen{
			{clients: one("langchain"), probes: one("openai-quota-429-retry-after"), marks: "●"},
			{clients: one("langchain"), probes: one("quota-429-retry-after"), marks: "●●●●●●●"},
		}},
		{"LangChain retries a 429 without Retry-After", "wrong: @langchain/openai 1.5.8 sends the request only once, whatever the error code", clientsRecord, []seen{
			{clients: one("langchain"), probes: []string{"status-429", "quota-429", "openai-quota-429"}, marks: "●"},
		}},
		{"LangChain stops retrying if Retry-After is over 60 s", "confirmed", slowRecord, []seen{
			{clients: one("langchain"), probes: []string{"retry-after-70", "retry-after-200"}, marks: "●"},
		}},
		{"no client gives up when the response headers are late", "confirmed for headers that are 65 s late; if they are 310 s late, only the Go libraries and @google/genai keep waiting, and the other npm packages time out after 300 s (the timeout of fetch) and retry", slowRecord, []seen{
			{clients: slices.Concat(stainless, genai, []string{"ai-sdk", "langchain"}), probes: []string{"slow-headers-65", "stalled-stream-65"}, marks: "○"},
			{clients: slices.Concat([]string{"openai-go"}, anthropicGo, genai), probes: []string{"slow-headers-310", "stalled-stream-310"}, marks: "○"},
			{clients: []string{"openai-node", "anthropic-node", "ai-sdk", "langchain"}, probes: one("slow-headers-310"), marks: "●●…"},
			{clients: []string{"openai-node", "anthropic-node", "ai-sdk", "langchain"}, probes: one("stalled-stream-310"), marks: "●", says: "sends the request once and raises"},
		}},
		{"every client raises an error for the contract's error event in the middle of a stream", "confirmed", clientsRecord, []seen{
			{clients: slices.Concat(openai, anthropic, genai, []string{"ai-sdk", "langchain"}), probes: one("mid-stream-error"), marks: "●", says: "raises "},
		}},
		{"openai-go raises an error if the event data contains a top-level error object, but neither for an error event without such an object nor for response.failed", "confirmed", clientsRecord, []seen{
			{clients: one("openai-go"), probes: []string{"error-nested", "error-named"}, marks: "●", says: "raises ssestream.StreamError"},
			{clients: one("openai-go"), probes: []string{"error-flat", "response-failed", "error-and-failed"}, marks: "●", says: "raises no error"},
		}},
		{"openai (npm) raises an error for an error event without a nested error object, but not if the stream reports its failure only with response.failed", "confirmed for 7.59.0", newerRecord, []seen{
			{clients: one("openai-node"), probes: []string{"error-flat", "error-and-failed", "error-nested"}, marks: "●", says: "raises APIError"},
			{clients: one("openai-node"), probes: one("response-failed"), marks: "●", says: "raises no error"},
		}},
		{"the openai (npm) version that runs on Node 20 also raises an error for an error event without a nested error object", "wrong: 6.49.0 raises an error only if the error event contains a nested error object", clientsRecord, []seen{
			{clients: one("openai-node"), probes: one("error-nested"), marks: "●", says: "raises APIError"},
			{clients: one("openai-node"), probes: []string{"error-flat", "error-and-failed", "response-failed"}, marks: "●", says: "raises no error"},
		}},
		{"Anthropic's libraries raise an error for a stream event only if the event is named error", "confirmed", clientsRecord, []seen{
			{clients: anthropic, probes: one("error-unnamed"), marks: "●", says: "raises no error"},
		}},
		{"no client detects a stream that ends cleanly without a finish reason", "confirmed", clientsRecord, []seen{
			{clients: slices.Concat(openai, anthropic, genai, []string{"ai-sdk", "langchain"}), probes: one("mid-stream-eof"), marks: "●", says: "raises no error; the caller receives"},
		}},
	}
}

// TestWhatIsSaidOfClients holds the claims of docs/clients.md to the records: a newer record that contradicts one fails.
func TestWhatIsSaidOfClients(t *testing.T) {
	logs := map[string]clientlog.Log{}
	for _, path := range []string{clientsRecord, slowRecord, newerRecord} {
		log, err := readFrom(path, clientlog.ReadJSON)
		require.NoError(t, err)
		logs[path] = log
	}
	var table strings.Builder
	table.WriteString("| what people say | what we found | record and probes |\n|---|---|---|\n")
	for _, c := range claims() {
		var probes []string
		for _, s := range c.seen {
			checkSeen(t, c.says, logs[c.record], s)
			probes = append(probes, s.probes...)
		}
		fmt.Fprintf(&table, "| %s | %s | %s: `%s` |\n", c.says, c.found, strings.TrimPrefix(c.record, "../../clients/"), strings.Join(unique(probes), "`, `"))
	}
	const page, begin, end = "../../docs/clients.md", "<!-- claims: begin -->\n", "<!-- claims: end -->\n"
	raw, err := os.ReadFile(page)
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(raw), begin)
	require.True(t, ok)
	got, after, ok := strings.Cut(rest, end)
	require.True(t, ok)
	if *updateClients {
		require.NoError(t, os.WriteFile(page, []byte(before+begin+"\n"+table.String()+"\n"+end+after), 0o600))
		return
	}
	assert.Equal(t, "\n"+table.String()+"\n", got, "make clients-record writes it")
}

func unique(names []string) (list []string) {
	for _, name := range names {
		if !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

func checkSeen(t *testing.T, says string, l clientlog.Log, s seen) {
	t.Helper()
	for _, client := range s.clients {
		for _, probe := range s.probes {
			calls := slices.DeleteFunc(l.OfProbe(probe), func(c clientlog.Call) bool { return c.Client != client })
			if len(calls) == 0 && (strings.HasPrefix(probe, "error-") || strings.HasPrefix(probe, "response-")) {
				continue // not in this client's API format
			}
			if !assert.Len(t, calls, 1, "%s: %s %s", says, client, probe) {
				continue
			}
			c := calls[0]
			what := fmt.Sprintf("%s: %s %s: %s %s", says, client, probe, clientlog.Marks(c), clientlog.Sentence(c))
			assert.Equal(t, s.marks, clientlog.Marks(c), what)
			assert.Contains(t, clientlog.Sentence(c), s.says, what)
			if s.within[1] > 0 && assert.Greater(t, len(c.Attempts), 1, what) {
				assert.GreaterOrEqual(t, c.Attempts[1].Gap, s.within[0], what)
				assert.LessOrEqual(t, c.Attempts[1].Gap, s.within[1], what)
			}
			if s.version != "" {
				assert.Equal(t, s.version, c.Attempts[0].APIVersion, what)
			}
			if s.hidden {
				assert.NotContains(t, c.Message, c.Code, what)
			}
		}
	}
}
