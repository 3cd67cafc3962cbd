package profile

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gatecert/gatecert/exchange/redact"
	"github.com/gatecert/gatecert/internal/yamlfile"
)

// Variables are the environment variables that a profile uses, as they were when it was read.
type Variables struct {
	list []variable
	// texts are the strings of the profile that hold one, as reports show them, by their field and value.
	texts map[string]map[string]string
}

// variable is an environment variable that the profile uses.
type variable struct {
	name, value string
	// secret is set when it stands anywhere but in what reports are there to show, and the profile does not call it public.
	secret bool
	// echo is set when all that is known of it is that it is sent to the gateway, see [redact.Secret].
	echo bool
}

// named is how reports show a variable.
func (v variable) named() string { return "$" + v.name }

// expansion expands the variables of a profile and keeps what it has found.
type expansion struct {
	getenv func(string) (string, bool)
	uses   []use
}

// use is a string of the profile with variables in it.
type use struct {
	path  string
	at    place
	known bool // at is where it stands
	names []string
	parts []part
	text  string
}

// part is a piece of a string: a text, or the value of a variable.
type part struct{ text, variable string }

func (x *expansion) expand(path, text string) (string, error) {
	u := use{path: path}
	u.at, u.known = placeIn(path)
	var out strings.Builder
	add := func(text, variable string) {
		out.WriteString(text)
		u.parts = append(u.parts, part{text, variable})
	}
	rest := text
	for {
		start := strings.Index(rest, "${")
		if start < 0 {
			add(rest, "")
			break
		}
		end := strings.IndexByte(rest[start:], '}')
		if end < 0 {
			return "", fmt.Errorf("%q contains ${ without a closing }", rest)
		}
		add(rest[:start], "")
		name, fallback, hasFallback := strings.Cut(rest[start+2:start+end], ":-")
		u.names = append(u.names, name)
		value, set := x.getenv(name)
		switch {
		case set && value != "":
			add(value, name)
		case hasFallback:
			add(fallback, "") // it stands in the file for everybody to read
		default:
			return "", fmt.Errorf("the variable %s is not set or is empty: export it with a value, or give it a default value: ${%s:-default}", name, name)
		}
		rest = rest[start+end+1:]
	}
	u.text = out.String()
	if len(u.names) > 0 {
		x.uses = append(x.uses, u)
	}
	return u.text, nil
}

// variables are those that were expanded; public are the names that the profile marks so.
func (x *expansion) variables(public []string) Variables {
	var out Variables
	places := make(map[string]int)
	for _, u := range x.uses {
		for _, p := range u.parts {
			if p.variable == "" {
				continue
			}
			i, known := places[p.variable]
			if !known {
				i = len(out.list)
				places[p.variable] = i
				out.list = append(out.list, variable{name: p.variable, value: p.text, echo: !redact.IsCredential(p.variable)})
			}
			v := &out.list[i]
			if u.known && u.at.public() {
				continue
			}
			v.secret = v.secret || !slices.Contains(public, p.variable)
			v.echo = v.echo && u.known && u.at.echoed()
		}
	}
	out.texts = make(map[string]map[string]string)
	for _, u := range x.uses {
		field := ""
		if u.known {
			field = u.at.field
		}
		if u.known && u.at.public() {
			continue
		}
		shown := u.shown(func(name string) bool { return out.list[places[name]].secret })
		if shown == u.text {
			continue
		}
		if out.texts[field] == nil {
			out.texts[field] = make(map[string]string)
		}
		out.texts[field][u.text] = shown
	}
	return out
}

// shown is the string with the names of its secret variables.
func (u use) shown(secret func(name string) bool) string {
	var out strings.Builder
	for _, p := range u.parts {
		if p.variable != "" && secret(p.variable) {
			out.WriteString("[$" + p.variable + "]")
		} else {
			out.WriteString(p.text)
		}
	}
	return out.String()
}

// shown is a string of the profile with the names of its secret variables.
func (v Variables) shown(field, text string) string {
	for _, f := range []string{field, ""} {
		if shown, ok := v.texts[f][text]; ok {
			return shown
		}
	}
	return text
}

// secrets are the variables that no report may show.
func (v Variables) secrets() []redact.Secret {
	var out []redact.Secret
	for _, one := range v.list {
		if one.secret {
			out = append(out, redact.Secret{What: one.named(), Value: one.value, Echo: one.echo})
		}
	}
	return out
}

// hidden is an error about a profile without the values of its variables: it may quote them.
func (x *expansion) hidden(err error, public []string) error {
	var located *yamlfile.Error
	if !errors.As(err, &located) {
		return err
	}
	out := *located
	v := x.variables(public)
	for _, u := range x.uses {
		shown := u.shown(func(name string) bool {
			return slices.ContainsFunc(v.list, func(one variable) bool { return one.name == name && one.secret })
		})
		out.Problem = strings.ReplaceAll(out.Problem, strconv.Quote(u.text), strconv.Quote(shown))
	}
	strong, weak := redact.Strong(v.secrets())
	out.Problem = redact.New(strong...).Text(out.Problem)
	for _, secret := range weak {
		out.Problem = redact.Token(out.Problem, secret)
	}
	return &out
}
