package docs_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/internal/yamlfile"
	"github.com/gatecert/gatecert/reports/baseline"
	"github.com/gatecert/gatecert/targets/profile"
)

// agreement is what reads a kind of file, and the schema of it.
type agreement struct {
	schema *jsonschema.Schema
	parse  func(text string) error
}

func compiled(t *testing.T, file string) *jsonschema.Schema {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	schema, err := compiler.Compile(filepath.Join("schema", file))
	require.NoError(t, err)
	return schema
}

func profileAgreement(t *testing.T) agreement {
	t.Helper()
	known := []profile.Driver{
		{Name: profile.StaticDriver}, {Name: profile.ReferenceDriver, Embedded: true}, {Name: profile.NewAPIDriver, Admin: true},
		{Name: profile.OneAPIDriver, Admin: true},
	}
	set := func(name string) (string, bool) { return "https://set.example/" + name, true }
	return agreement{compiled(t, "profile.schema.json"), func(text string) error {
		// A gateway and its administrator, where the text is about something else.
		if !strings.Contains(text, "base_url:") {
			text += "\nbase_url: https://gateway.example\n"
		}
		_, err := profile.Parse("profile.yaml", []byte(text), set, known...)
		return err
	}}
}

func baselineAgreement(t *testing.T) agreement {
	t.Helper()
	return agreement{compiled(t, "baseline.schema.json"), func(text string) error {
		_, err := baseline.Parse("known.yaml", []byte(text), func(file string, data []byte) (baseline.Document, error) { return yamlfile.Parse(file, data) })
		return err
	}}
}

// validate is what an editor says of a file.
func (a agreement) validate(t *testing.T, text string) error {
	t.Helper()
	var value any
	require.NoError(t, yaml.Unmarshal([]byte(text), &value), text)
	encoded, err := json.Marshal(value)
	require.NoError(t, err)
	decoded, err := jsonschema.UnmarshalJSON(bytes.NewReader(encoded))
	require.NoError(t, err)
	return a.schema.Validate(decoded)
}

// alternative is the line between two ways to write the same.
var alternative = regexp.MustCompile(`(?m)^# or\b.*$`)

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// TestTheExamplesOfTheDocumentsAreValid reads every profile and baseline that a document shows, whole or in part.
func TestTheExamplesOfTheDocumentsAreValid(t *testing.T) {
	ofProfile, ofBaseline := profileAgreement(t), baselineAgreement(t)
	keys := newSchemas(t, "../targets/profile").profileKeys()
	profiles, baselines := 0, 0
	for _, page := range pages(t) {
		var blocks []string
		for _, block := range yamlBlock.FindAllStringSubmatch(read(t, page), -1) {
			blocks = append(blocks, alternative.Split(block[1], -1)...)
		}
		for _, block := range blocks {
			if strings.HasPrefix(strings.TrimSpace(block), "- ") {
				continue // the middle of another tool's file
			}
			if strings.HasPrefix(block, "# yaml-language-server:") {
				continue
			}
			var top yaml.MapSlice
			require.NoError(t, yaml.Unmarshal([]byte(block), &top), "%s: %s", page, block)
			foreign := slices.ContainsFunc(top, func(item yaml.MapItem) bool { return !slices.Contains(keys, item.Key.(string)) })
			switch {
			case top[0].Key == "expected_failures":
				baselines++
				assert.NoError(t, ofBaseline.parse(block), page)
				assert.NoError(t, ofBaseline.validate(t, block), page)
			case !foreign:
				profiles++
				assert.NoError(t, ofProfile.validate(t, block), "%s: %s", page, block)
			}
		}
	}
	assert.GreaterOrEqual(t, profiles, 7, "of README.md, docs/profile.md and docs/new-api.md")
	assert.Positive(t, baselines)
	for _, file := range []string{"../targets/portkey/profile.yaml"} {
		assert.NoError(t, ofProfile.validate(t, read(t, file)), file)
	}
}

func (s *schemas) profileKeys() (keys []string) {
	for name := range s.comments {
		if field, ok := strings.CutPrefix(name, "Profile."); ok {
			keys = append(keys, s.keys[field])
		}
	}
	return keys
}

// TestTheSchemaRefusesWhatTheParserRefuses: an editor marks these, and a run does not begin with them.
func TestTheSchemaRefusesWhatTheParserRefuses(t *testing.T) {
	a := profileAgreement(t)
	for _, wrong := range []string{
		"nmae: x",
		"base_url: gateway.example",
		"base_url: ftp://gateway.example",
		"base_url: https://user:password@gateway.example",
		"base_url: https://gateway.example?a=b",
		"driver: newapy",
		"surfaces: [chatt]",
		"surfaces: chat",
		"keys: {valid: [a]}",
		"keys: {vaild: a}",
		"models: gpt",
		"models: {chats: gpt}",
		"headers: [a]",
		"surface_headers: {chatt: {A: b}}",
		"concurrency: 257",
		"concurrency: -1",
		"concurrency: many",
		"concurrency: 1.5",
		"limits: {timeout: 5}",
		"limits: {timeout: 5 seconds}",
		"limits: {body: -1}",
		"limits: {body: 1MB}",
		"limits: {rate: {key: k, requests: 1, window: 1s, kind: leaky}}",
		"limits: {rate: {key: k, requests: 1, window: 1s, kind: token-bucket, burst: -1}}",
		"limits: {rate: {key: k, requests: 1, window: 1s, burst: 5}}",
		"limits: {rates: {}}",
		"limits: {rate: [{key: k, requests: 5, window: 1s}, {token: 5, window: 1s}]}",
		"limits: {rate: [{key: k, requests: 5, window: 1s}, 5]}",
		"load: {surfaces: [models]}",
		"upstream: {listen: '127.0.0.1:1', attach: 'http://127.0.0.1:2'}",
		"upstream: {listen: '127.0.0.1:1', url: '127.0.0.1:1'}",
		"upstream: {listen: '127.0.0.1:1', token: t}",
		"upstream: {listen: '127.0.0.1:1', protocol: opanai}",
		"store: {sqlite: a, postgres: b}",
		"admin: {token: t, user: u, password: p}\ndriver: newapi",
		"claims: {codes: some}",
		"claims: {codes: {no_such_code: x}}",
		"claims: {client_keys: maybe}",
		"prefix: proxy",
		"prefix: {chatt: /x}",
		"circumstances: {unpriced-modle: {model: m}}",
		"circumstances: {unpriced-model: {modle: m}}",
		"circumstances: {unreachable-upstream/refusd: {model: m}}",
		"circumstances: {unpriced-model: {surfaces: [chatt]}}",
		"circumstances: {unpriced-model: {on: {chatt: {model: m}}}}",
		"circumstances: {unpriced-model: {before: [{run: a, sql: b}]}}\nstore: {sqlite: s}",
		"circumstances: {unpriced-model: {before: [{}]}}",
		"circumstances: {unpriced-model: {before: [{do: a}]}}",
		"lacks: {unpriced-model: never}",
		"tls: {cert: x}",
		"settle: {recovery: soon}",
		"balance: {path: [a]}",
	} {
		assert.Error(t, a.parse(wrong), "the parser takes %s", wrong)
		assert.Error(t, a.validate(t, wrong), "the schema takes %s", wrong)
	}
	b := baselineAgreement(t)
	for _, wrong := range []string{
		"expected_failure: []",
		"expected_failures: {}",
		"expected_failures: [{case: 'http:404/**'}]",
		"expected_failures: [{reason: r}]",
		"expected_failures: [{case: 'http:404/**', reason: ' '}]",
		"expected_failures: [{case: 'http:404/**', reason: r, until: 2027-01-01}]",
		"expected_failures: [{case: 'http:404/**', reason: r, expires: tomorrow}]",
		"expected_failures: [{case: 'http:404/**', reason: r, expires: 2027-02-30}]",
	} {
		assert.Error(t, b.parse(wrong), "the parser takes %s", wrong)
		assert.Error(t, b.validate(t, wrong), "the schema takes %s", wrong)
	}
}

// TestTheSchemaTakesWhatTheParserTakes holds what people write who know YAML, and variables wherever a profile may have them.
func TestTheSchemaTakesWhatTheParserTakes(t *testing.T) {
	a := profileAgreement(t)
	for _, right := range []string{
		"name: 5",
		"version: 1.2",
		"base_url: ${URL}\nenv: [URL]",
		"keys: {valid: '${KEY}'}",
		"keys: {valid: 123456}",
		"models: {default: a, relay: b}",
		"models: {default: a, relay: [b, c]}",
		"concurrency: 0",
		"limits: {timeout: 1m30s, patience: 0s, attempts: 3}",
		"limits: {rate: {key: k, requests: 5, window: 1.5s, kind: token-bucket, burst: 7, shared: true}}",
		"limits: {rate: [{key: k, requests: 5, window: 1s}, {tokens: 900, window: 1m}, {concurrent: 5}]}",
		"prefix: /proxy",
		"prefix: {gemini: /g, chat: /c}",
		"claims: {codes: {model_not_found: [a, b], access_denied: c}, client_keys: false}",
		"upstream: {attach: 'http://127.0.0.1:1', token: t, keys: [a], protocol: {gemini: openai}}",
		"circumstances: {unpriced-model: {model: m, body: {a.b: null, c: [1]}, on: {chat: {headers: {A: b}}}}}",
		"circumstances: {failing-store-reads: {before: [{run: a}], after: [{sql: b}]}}\nstore: {sqlite: s}",
	} {
		assert.NoError(t, a.parse(right), "the parser refuses %s", right)
		assert.NoError(t, a.validate(t, right), "the schema refuses %s", right)
	}
}
