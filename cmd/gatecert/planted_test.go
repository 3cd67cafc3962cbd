package main

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/targets/profile"
)

// notSecret are the strings of a profile that reports are there to show, or that have to be one of a few words. Every other
// string of the profile's type is planted with a secret: a new field fails the test until somebody decides which it is.
var notSecret = map[string]string{
	"name":               "what every report is about",
	"version":            "what every report is about",
	"base_url":           "what every report is about",
	"driver":             "the name of a driver",
	"surfaces":           "names of surfaces",
	"load.surfaces":      "names of surfaces",
	"models.default":     "a model",
	"models.chat":        "a model",
	"models.completions": "a model",
	"models.responses":   "a model",
	"models.messages":    "a model",
	"models.gemini":      "a model",
	"models.embeddings":  "a model",
	"models.images":      "a model", "models.speech": "a model", "models.transcriptions": "a model", "models.moderations": "a model",
	"models.rerank": "a model", "models.count-tokens": "a model", "models.models": "a model",
	"models.relay":                   "models",
	"limits.rate.model":              "a model",
	"limits.rate.kind":               "the kind of a limiter",
	"claims.codes":                   "what the gateway publishes",
	"public":                         "names of variables",
	"env":                            "names of variables",
	"upstream.protocol":              "an API format",
	"circumstances.*.model":          "a model",
	"circumstances.*.method":         "the method of a request",
	"circumstances.*.surfaces":       "names of surfaces",
	"circumstances.*.on.*.model":     "a model",
	"circumstances.*.on.*.method":    "the method of a request",
	"circumstances.*.on.*.surfaces":  "names of surfaces",
	"circumstances.*.before.do":      "no file may say it",
	"circumstances.*.after.do":       "no file may say it",
	"circumstances.*.on.*.before.do": "no file may say it",
	"circumstances.*.on.*.after.do":  "no file may say it",
	"(Planted)":                      "set by drivers, and a secret",
	"lacks":                          "no file may say it",
	"(Digest)":                       "of the file",
	"(Variables)":                    "what the profile was read with",
	"models.(More)":                  "models of the command line",
	"limits.rate.(More)":             "limits as the first one, without a key",
	"circumstances.*.on.*.on":        "a recipe for a surface has no surfaces of its own",
}

// planter makes profiles with a secret in every string.
type planter struct {
	// secrets are the variables of the environment.
	secrets map[string]string
	// short makes secrets that are too short to be searched for.
	short bool
	// planted are the places of strings that got a secret.
	planted map[string]bool
	// given are the values of single places instead, nil to leave one out; shapes are the forms of a string with a secret.
	given  map[string]any
	shapes map[string]string
}

func newPlanter(short bool) *planter {
	return &planter{short: short, secrets: make(map[string]string), planted: make(map[string]bool), given: make(map[string]any), shapes: make(map[string]string)}
}

// secret makes a secret and returns its variable.
func (p *planter) secret() string {
	n := len(p.secrets) + 1
	name, value := fmt.Sprintf("PLANTED_%03d", n), fmt.Sprintf("sk-plAnt%03dZq7vT8Lm", n)
	if p.short {
		value = fmt.Sprintf("q%03dZ", n)
	}
	p.secrets[name] = value
	return "${" + name + "}"
}

// text is a string with a secret for a place.
func (p *planter) text(place string) string {
	p.planted[place] = true
	shape := p.shapes[place]
	if shape == "" {
		shape = "planted%s"
	}
	var secrets []any
	for range strings.Count(shape, "%s") {
		secrets = append(secrets, p.secret())
	}
	return fmt.Sprintf(shape, secrets...)
}

// value is a value of a type with secrets in all strings of it, nil for none.
func (p *planter) value(t reflect.Type, place string) any {
	if given, ok := p.given[place]; ok {
		return given
	}
	if notSecret[place] != "" {
		return nil
	}
	switch t.Kind() {
	case reflect.String:
		return p.text(place)
	case reflect.Struct:
		out := make(map[string]any)
		for field := range t.Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
			if name == "-" {
				continue
			}
			if value := p.value(field.Type, below(place, name)); value != nil {
				out[name] = value
			}
		}
		return out
	case reflect.Map:
		keys := []string{"X-Planted", "X-Password", "x-session-id"}
		if t.Key() != reflect.TypeFor[string]() {
			keys = []string{"chat"}
		}
		out := make(map[string]any)
		for _, key := range keys {
			out[key] = p.value(t.Elem(), below(place, "*"))
		}
		return out
	case reflect.Slice:
		return []any{p.value(t.Elem(), place)}
	case reflect.Interface:
		return p.text(place)
	default:
		return nil
	}
}

func below(place, name string) string {
	return strings.TrimPrefix(place+"."+name, ".")
}

// stringsOf lists the places of all strings of a type.
func stringsOf(t reflect.Type, place string, found map[string]bool) {
	if notSecret[place] != "" {
		found[place] = true
		return
	}
	switch t.Kind() {
	case reflect.String, reflect.Interface:
		found[place] = true
	case reflect.Pointer, reflect.Slice, reflect.Array:
		stringsOf(t.Elem(), place, found)
	case reflect.Map:
		stringsOf(t.Elem(), below(place, "*"), found)
	case reflect.Struct:
		for field := range t.Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
			if name == "-" {
				name = "(" + field.Name + ")" // no file has it
			}
			if name != "" {
				stringsOf(field.Type, below(place, name), found)
			}
		}
	default: // holds no string
	}
}

// requireEveryString fails the test for a string of the profile's type in which no secret was planted.
func requireEveryString(t *testing.T, planted map[string]bool) {
	t.Helper()
	all := make(map[string]bool)
	stringsOf(reflect.TypeFor[profile.Profile](), "", all)
	for _, place := range slices.Sorted(maps.Keys(all)) {
		if notSecret[place] == "" {
			require.True(t, planted[place], "the string %s of a profile: plant a secret in it, or say in notSecret why it is none", place)
		}
	}
	for place := range notSecret {
		require.True(t, all[place], "notSecret: a profile has no %s", place)
	}
}
