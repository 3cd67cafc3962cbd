package profile

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange/redact"
)

// place is where a string stands in a profile.
type place struct {
	// field is the field of the profile, or of a recipe, that holds the string, at any depth: "headers", "run".
	field string
	// parent is the field of the profile around it where it has one of its own: "upstream" of "upstream.keys".
	parent string
	// name is the closest key above the string: that of a header field, of a member of a body.
	name string
	// key is set for a key of a map.
	key bool
}

// placeOf is the place of a path: the keys of all maps and structs above the string.
func placeOf(path []string) place {
	p := place{field: path[0], name: path[len(path)-1]}
	rest := path[1:]
	switch {
	case p.field == "circumstances" && len(path) > 4 && path[2] == "on":
		p.field, rest = path[4], path[5:]
	case p.field == "circumstances" && len(path) > 2:
		p.field, rest = path[2], path[3:]
	case p.field == "surface_headers" && len(path) > 2:
		p.field = "headers"
	case len(rest) > 0 && (p.field == "upstream" || p.field == "limits" || p.field == "admin" || p.field == "balance" || p.field == "store" || p.field == "tls"):
		p.parent, p.field, rest = p.field, rest[0], rest[1:]
		if p.field == "rate" && len(rest) > 0 {
			p.field = rest[0]
		}
		return p
	}
	switch {
	case len(rest) == 0:
	case p.field == "before", p.field == "after":
		p.field = rest[len(rest)-1]
	case p.field == "body":
		elements := strings.FieldsFunc(p.name, func(r rune) bool { return strings.ContainsRune(".[]0123456789", r) })
		if len(elements) > 0 {
			p.name = elements[len(elements)-1] // messages[0].content
		}
	}
	return p
}

// placeIn is the place of a path as the YAML library writes it: $.circumstances.'a.b'.body.x[0]. It reports whether it has been
// read.
func placeIn(path string) (p place, ok bool) {
	rest, ok := strings.CutPrefix(path, "$")
	if !ok {
		return place{}, false
	}
	var keys []string
	for rest != "" {
		switch {
		case strings.HasPrefix(rest, ".'"):
			end := strings.Index(rest[2:], "'")
			if end < 0 {
				return place{}, false
			}
			keys, rest = append(keys, rest[2:2+end]), rest[2+end+1:]
		case rest[0] == '.':
			end := strings.IndexAny(rest[1:], ".['")
			if end < 0 {
				end = len(rest) - 1
			}
			keys, rest = append(keys, rest[1:1+end]), rest[1+end:]
		case rest[0] == '[':
			end := strings.IndexByte(rest, ']')
			if end < 0 {
				return place{}, false
			}
			rest = rest[end+1:]
		default:
			return place{}, false
		}
	}
	if len(keys) == 0 {
		return place{}, false
	}
	return placeOf(keys), true
}

// public reports whether a string is there to be shown: what a report is about, and the names that package contract and the
// profile's own check know. A variable in it is not a secret for standing there.
func (p place) public() bool {
	switch p.field {
	case "name", "version", "base_url", "driver", "surfaces", "models", "claims", "load", "concurrency", "settle", "public", "env":
		return p.parent == ""
	case "model", "method", "on", "circumstances", "surface_headers":
		return p.parent == "" || p.parent == "limits"
	case "protocol":
		return p.parent == "upstream"
	case "timeout", "body", "attempts", "patience", "valid", "requests", "tokens", "input_tokens", "output_tokens", "concurrent", "window", "kind", "burst", "shared", "refused_count":
		return p.parent == "limits"
	case "id":
		return p.parent == "admin"
	}
	return false
}

// echoed reports whether a string is sent to the gateway and is no credential by its name.
func (p place) echoed() bool {
	switch p.field {
	case "headers", "body":
		return p.parent == "" && (p.key || !redact.IsCredential(p.name))
	case "path", "prompt", "directive", "prefix":
		return true
	}
	return false
}

// shown is a string of the profile as reports show it, and the secrets in it that stand there as they are.
func (p Profile) shown(at place, text string) (shown string, secrets []redact.Secret) {
	if text == "" {
		return "", nil
	}
	whole := func(what string) (string, []redact.Secret) {
		return "[" + what + "]", []redact.Secret{{What: what, Value: text}}
	}
	raw := text
	if !at.public() {
		text = p.Variables.shown(at.field, text)
	}
	switch at.parent + "." + at.field {
	case ".keys", ".key", "limits.key":
		return whole(redact.CallerKey)
	case "admin.token", "admin.password":
		return whole("administrator's credential")
	case "upstream.keys":
		return whole("upstream key")
	case "upstream.token":
		return whole("upstream token")
	case "upstream.listen", "upstream.addresses":
		return whole(UpstreamAddress)
	case "upstream.url", "upstream.attach":
		shown, secrets = urlShown("upstream credential", text, raw)
		if host := Host(raw); host != "" {
			shown = strings.Replace(shown, host, "["+UpstreamAddress+"]", 1)
			secrets = append(secrets, redact.Secret{What: UpstreamAddress, Value: host})
		}
		return shown, secrets
	case "store.postgres", "store.sqlite":
		return urlShown("store's password", text, raw)
	case ".base_url", "balance.path", ".path", ".prefix":
		return urlShown("credential", text, raw)
	case ".run":
		return redact.Inline("credential", text, redact.URLs|redact.Assignments|redact.Members|redact.Commands)
	}
	switch {
	case at.key:
		return text, nil
	case at.field == "headers" && redact.IsCredential(at.name):
		_, secrets = redact.Credential("header "+at.name, raw)
		shown, _ = redact.Credential("header "+at.name, text)
		return shown, secrets
	case at.field == "headers":
		return redact.Inline("header "+at.name, text, redact.URLs|redact.Assignments|redact.Members)
	case at.field == "body" && redact.IsCredential(at.name):
		return whole("body " + at.name)
	}
	return text, nil
}

// shownText is [Profile.shown] without the secrets.
func (p Profile) shownText(at place, text string) string {
	shown, _ := p.shown(at, text)
	return shown
}

// urlShown replaces the credentials of a URL, or of a list of settings: name=value.
func urlShown(what, text, raw string) (shown string, secrets []redact.Secret) {
	shown, secrets = redact.Inline(what, text, redact.URLs|redact.Assignments)
	// A password with a sign that ends it elsewhere, such as a slash, reaches to the last @.
	scheme, rest, ok := strings.Cut(shown, "://")
	user, password, isPair := strings.Cut(rest, ":")
	end := strings.LastIndexByte(password, '@')
	if !ok || !isPair || end < 0 || strings.ContainsAny(user, "/?#@ ") || Host(raw) != "" || strings.HasPrefix(password, "[") {
		return shown, secrets
	}
	secrets = append(secrets, redact.Secret{What: what, Value: password[:end]})
	return scheme + "://" + user + ":[" + what + "]" + password[end:], secrets
}

// mapped is a copy of the profile with f of each string that its file may hold, at its place.
func (p Profile) mapped(f func(at place, text string) string) Profile {
	out, _ := reflect.TypeAssert[Profile](mapped(reflect.ValueOf(p), nil, f))
	return out
}

func mapped(v reflect.Value, path []string, f func(place, string) string) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	out.Set(v)
	switch v.Kind() {
	case reflect.String:
		out.SetString(f(placeOf(path), v.String()))
	case reflect.Struct:
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
			if name != "-" && name != "" {
				out.Field(i).Set(mapped(v.Field(i), append(slices.Clip(path), name), f))
			}
		}
	case reflect.Map:
		if v.IsNil() {
			break
		}
		out.Set(reflect.MakeMapWithSize(v.Type(), v.Len()))
		for _, key := range v.MapKeys() {
			below := append(slices.Clip(path), key.String())
			shown := reflect.New(key.Type()).Elem()
			at := placeOf(below)
			at.key = true
			shown.SetString(f(at, key.String()))
			out.SetMapIndex(shown, mapped(v.MapIndex(key), below, f))
		}
	case reflect.Slice:
		if v.IsNil() {
			break
		}
		out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
		for i := range v.Len() {
			out.Index(i).Set(mapped(v.Index(i), path, f))
		}
	case reflect.Interface:
		if !v.IsNil() {
			out.Set(mapped(v.Elem(), path, f))
		}
	default: // holds no string
	}
	return out
}

// Redacted returns the effective profile as YAML for a log. It contains no secrets, and [ParseRedacted] can read it.
func (p Profile) Redacted() string {
	searched, _ := p.SearchedSecrets()
	redactor := redact.New(searched...)
	var options []yaml.EncodeOption
	// Values are replaced before they are written: a key's name in brackets would be a list if it were not quoted.
	shown := p.mapped(func(at place, text string) string {
		text = redactor.Text(p.shownText(at, text))
		if !readBack(text) {
			options = []yaml.EncodeOption{yaml.CustomMarshaler(quoted)}
		}
		return text
	})
	raw, err := yaml.MarshalWithOptions(shown, options...)
	if err != nil {
		return "# the profile cannot be shown: " + redactor.Text(err.Error()) + "\n"
	}
	return string(raw)
}

// readBack reports whether the library reads a string as it writes it. It does not with a tab, a carriage return or a question
// mark before a space. An audit compares what was sent with the profile in the log.
func readBack(text string) bool {
	type one struct{ V any }
	var read one
	plain, err := yaml.Marshal(one{text})
	return err == nil && yaml.Unmarshal(plain, &read) == nil && read.V == text
}

// quoted writes a string on one line, in the quotes of JSON where it needs any.
func quoted(text string) ([]byte, error) {
	if readBack(text) && !strings.Contains(text, "\n") {
		return yaml.Marshal(text)
	}
	return yaml.MarshalWithOptions(text, yaml.JSON())
}

// Shown returns a text about the target, such as a command line or an error message, in the form that reports show.
func (p Profile) Shown(text string) string {
	searched, _ := p.SearchedSecrets()
	clean, _ := redact.Inline("credential", text, redact.URLs)
	return redact.New(searched...).Text(clean)
}

// ShownHeader returns a header field of the profile in the form that reports show.
func (p Profile) ShownHeader(name, value string) string {
	return p.shownText(place{field: "headers", name: name}, value)
}

// ShownPath returns the path of a recipe, or of the balance, in the form that reports show.
func (p Profile) ShownPath(path string) string {
	return p.shownText(place{field: "path", name: "path"}, path)
}

// ShownPrompt returns a prompt or a directive of a recipe in the form that reports show.
func (p Profile) ShownPrompt(text string) string {
	return p.Variables.shown("directive", p.Variables.shown("prompt", text))
}

// ShownBody returns the value of a body edit of a recipe in the form that reports show.
func (p Profile) ShownBody(path string, value any) any {
	if value == nil {
		return nil
	}
	return mapped(reflect.ValueOf(value), []string{"circumstances", "", "body", path}, p.shownText).Interface()
}

// ShownRoot returns [Profile.Root] in the form that reports show.
func (p Profile) ShownRoot(s dialect.Surface) string {
	if p.Prefix != nil {
		p.Prefix = mapped(reflect.ValueOf(p.Prefix), []string{"prefix"}, p.shownText).Interface()
	}
	return p.Root(s)
}

// ShownAction returns the output of an action, or an error about the action, in the form that reports show. It also redacts secrets that are too weak
// to be searched for in responses, unless they are words that the action was not given.
func (p Profile) ShownAction(a Action, text string) string {
	given := ""
	for _, line := range []struct{ field, text string }{{"run", a.Run}, {"sql", a.SQL}} {
		if line.text == "" {
			continue
		}
		given = p.shownText(place{field: line.field, name: line.field}, line.text)
		text = strings.ReplaceAll(strings.ReplaceAll(text, line.text, given), strconv.Quote(line.text), strconv.Quote(given))
	}
	strong, weak := redact.Strong(p.Secrets())
	text = redact.New(strong...).Text(text)
	for _, secret := range weak {
		wasGiven := strings.Contains(given, "["+secret.What+"]")
		if wasGiven && secret.Mixed() { // printed next to other letters too: "key=" + secret + "x"
			text = strings.ReplaceAll(text, secret.Value, "["+secret.What+"]")
		}
		if wasGiven || secret.Mixed() {
			text = redact.Token(text, secret)
		}
	}
	return text
}

// ShownCommand returns a command line in the form that reports show: without the secrets of the profile, and without the values of flags such as
// --key, which may be unknown to the profile.
func (p Profile) ShownCommand(words []string) []string {
	searched, _ := p.SearchedSecrets()
	redactor := redact.New(searched...)
	out := make([]string, len(words))
	hide := ""
	for i, word := range words {
		flag, value, joined := strings.Cut(word, "=")
		name := strings.TrimLeft(flag, "-")
		isCredential := strings.HasPrefix(word, "-") && redact.IsCredential(name)
		switch {
		case hide != "":
			out[i], hide = hide, ""
		case isCredential && joined && value != "":
			out[i] = flag + "=" + flagShown(name)
		case isCredential && !joined:
			out[i], hide = word, flagShown(name)
		default:
			clean, _ := redact.Inline("credential", word, redact.URLs|redact.Assignments)
			out[i] = redactor.Text(clean)
		}
	}
	return out
}

func flagShown(name string) string {
	if name == "key" {
		return "[" + redact.CallerKey + "]"
	}
	return "[" + name + "]"
}
