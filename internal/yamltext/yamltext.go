// Package yamltext writes YAML without a YAML library. It supports only what baselines and certificates contain: structs, slices, strings, whole
// numbers and booleans. The same value always results in the same bytes.
package yamltext

import (
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

// Marshal encodes a struct, or a slice of structs or strings, according to its yaml tags. It supports only the option omitempty. Marshal panics for a
// type that it cannot encode, because this is a bug in the caller's type and does not depend on the content.
func Marshal(v any) string {
	var w writer
	w.block(reflect.ValueOf(v), 0)
	return string(w.out)
}

type writer struct{ out []byte }

// block writes a struct or a slice, each line indented by some steps of two spaces.
func (w *writer) block(v reflect.Value, indent int) {
	if v.Kind() == reflect.Struct {
		w.mapping(v, indent)
		return
	}
	for i := range v.Len() {
		w.indent(indent)
		w.out = append(w.out, "- "...)
		if item := v.Index(i); item.Kind() == reflect.Struct {
			from := len(w.out)
			w.mapping(item, indent+1)
			w.out = append(w.out[:from], w.out[from+2*(indent+1):]...) // the first key stands behind the dash
		} else {
			w.out = append(append(w.out, scalar(item)...), '\n')
		}
	}
}

func (w *writer) mapping(v reflect.Value, indent int) {
	for i := range v.NumField() {
		name, option, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		field := v.Field(i)
		if name == "-" || option == "omitempty" && field.IsZero() {
			continue
		}
		w.indent(indent)
		w.out = append(append(w.out, name...), ':')
		switch {
		case field.Kind() == reflect.Struct:
			w.out = append(w.out, '\n')
			w.mapping(field, indent+1)
		case field.Kind() == reflect.Slice && field.Len() == 0:
			w.out = append(w.out, " []\n"...)
		case field.Kind() == reflect.Slice:
			w.out = append(w.out, '\n')
			w.block(field, indent+1)
		default:
			w.out = append(append(append(w.out, ' '), scalar(field)...), '\n')
		}
	}
}

func (w *writer) indent(steps int) { w.out = append(w.out, strings.Repeat("  ", steps)...) }

func scalar(v reflect.Value) string {
	switch v.Kind() {
	case reflect.String:
		return quote(v.String())
	case reflect.Int:
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	default:
		panic("yamltext: cannot write a " + v.Type().String()) //nolint:forbidigo // a type without a form in YAML is a bug
	}
}

// plain is text that means itself in YAML: it begins with a letter, so that it is not a number, a date or an indicator,
// and has no ": " and no " #".
var plain = regexp.MustCompile(`^[A-Za-z]([:,]?[A-Za-z0-9_./*+@()'=-]|,? [A-Za-z0-9_./(])*$`)

// words are the plain texts that YAML 1.1 or 1.2 reads as null or a boolean.
var words = regexp.MustCompile(`^(?i:null|true|false|yes|no|on|off|y|n)$`)

func quote(s string) string {
	if plain.MatchString(s) && !words.MatchString(s) {
		return s
	}
	// Go's escapes are a subset of YAML's, except \xff: there it is a character, here a byte of broken UTF-8.
	return strconv.Quote(strings.ToValidUTF8(s, "\uFFFD"))
}
