package redact

import (
	"encoding/base64"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// credentialWord matches a word that says of a value that it is a credential.
var credentialWord = regexp.MustCompile(`(?i)(?:^|[^a-z0-9])(?:authorization|auth|apikey|apitoken|authtoken|accesstoken|accesskey|secretkey|` +
	`key|token|jwt|secret|password|passwd|passphrase|pwd|pw|pgpassword|cookie|session|sessionid|sid|credentials?|signature|sig|hmac|bearer|otp|` +
	`csrf|xsrf)(?:$|[^a-z0-9])`)

// camel is the place between two words of a name such as accessToken.
var camel = regexp.MustCompile(`([a-z0-9])([A-Z])`)

// IsCredential reports whether a name (of a header field, query parameter, body member or variable) indicates that its value is a credential.
// IsCredential compares whole words: x-portkey-vendor and max_tokens do not match.
func IsCredential(name string) bool {
	return credentialWord.MatchString(name) || credentialWord.MatchString(camel.ReplaceAllString(name, "$1-$2"))
}

// replaced matches a credential of which only the names of secrets are left.
var replaced = regexp.MustCompile(`^(?:[A-Za-z]+ )?\[[^\[\]]+\]$`)

// Credential replaces the value of a credential field by a name and returns its secret parts: the value, the part after its scheme (Bearer, Basic),
// the password of Basic, and the values of cookies. The scheme is kept.
func Credential(what, value string) (shown string, secrets []Secret) {
	if value == "" || replaced.MatchString(value) {
		return value, nil
	}
	add := func(text string) {
		if text != "" && !slices.Contains(secrets, Secret{What: what, Value: text}) {
			secrets = append(secrets, Secret{What: what, Value: text})
		}
	}
	add(value)
	shown = "[" + what + "]"
	if scheme, rest, ok := strings.Cut(value, " "); ok && isScheme(scheme) {
		rest = strings.TrimSpace(rest)
		add(rest)
		shown = scheme + " [" + what + "]"
		if pair, err := base64.StdEncoding.DecodeString(rest); err == nil && strings.EqualFold(scheme, "Basic") {
			_, password, _ := strings.Cut(string(pair), ":")
			add(password)
		}
	}
	for pair := range strings.SplitSeq(value, ";") {
		if _, cookie, ok := strings.Cut(pair, "="); ok {
			add(strings.TrimSpace(cookie))
		}
	}
	return shown, secrets
}

// schemes of RFC 9110 that gateways use, in lower case.
var schemes = []string{"bearer", "basic", "token", "digest", "apikey"}

func isScheme(word string) bool { return slices.Contains(schemes, strings.ToLower(word)) }

// Syntax is a way in which a text associates a value with a name.
type Syntax int

// The syntaxes. They can be combined with the | operator.
const (
	// URLs means URLs that contain a user name and a password.
	URLs Syntax = 1 << iota
	// Assignments are name=value, as in a query, an environment and a list of settings.
	Assignments
	// Members are those of JSON: "name": "value".
	Members
	// Commands are shell commands: --name value, Name: value.
	Commands
)

// The regular expressions of the syntaxes. The group "name" describes the value in the group "value". A secret's name in brackets counts as a value.
var (
	urlPassword = regexp.MustCompile(`\b[A-Za-z][A-Za-z0-9+.-]*://[^\s/?#"'@:]*:(?P<value>(?:\[[^\[\]]*\]|[^\s/?#"'@])+)@`)
	urlUser     = regexp.MustCompile(`\bhttps?://(?P<value>[^\s/?#"'@:]+):?@`)
	assignment  = regexp.MustCompile(`(?:^|[?&;,\s"'{(])(?P<name>-{0,2}[A-Za-z][A-Za-z0-9_.-]*)=(?P<value>"[^"]*"|'[^']*'|(?:\[[^\[\]]*\]|[^\s&;#"'])+)`)
	jsonMember  = regexp.MustCompile(`"(?P<name>[^"\\]+)"\s*:\s*"(?P<value>(?:[^"\\]|\\.)+)"`)
	flagValue   = regexp.MustCompile(`(?:^|\s)(?P<name>--[A-Za-z][A-Za-z0-9_-]*)\s+(?P<value>"[^"]*"|'[^']*'|(?:\[[^\[\]]*\]|[^\s"'-])(?:\[[^\[\]]*\]|[^\s"'])*)`)
	fieldValue  = regexp.MustCompile(`\b(?P<name>[A-Za-z][A-Za-z0-9-]*):\s*(?P<value>[^\s"'][^"'\n]*)`)
)

// Inline replaces the credentials to which a text gives a name, and returns them. A credential without a name of its own, such as the password in a
// URL, gets the name what.
func Inline(what, text string, syntax Syntax) (shown string, secrets []Secret) {
	for _, rule := range []struct {
		syntax Syntax
		re     *regexp.Regexp
	}{
		{URLs, urlPassword}, {URLs, urlUser}, {Assignments, assignment}, {Members, jsonMember}, {Commands, flagValue}, {Commands, fieldValue},
	} {
		if syntax&rule.syntax == 0 {
			continue
		}
		var found []Secret
		text, found = inline(what, text, rule.re)
		secrets = append(secrets, found...)
	}
	return text, secrets
}

func inline(what, text string, re *regexp.Regexp) (shown string, secrets []Secret) {
	name, value := re.SubexpIndex("name"), re.SubexpIndex("value")
	var out strings.Builder
	end := 0
	for from := 0; from < len(text); {
		at := re.FindStringSubmatchIndex(text[from:])
		if at == nil {
			break
		}
		start, stop := from+at[2*value], from+at[2*value+1]
		secret := Secret{What: what, Value: strings.Trim(text[start:stop], `"'`)}
		known := true
		if name >= 0 {
			word := strings.TrimLeft(text[from+at[2*name]:from+at[2*name+1]], "-")
			known = IsCredential(word)
			secret.What = "credential " + word
		}
		// The character that ends one match may begin the next.
		from = max(stop, from+1)
		if !known || secret.Value == "" || strings.Contains(secret.Value, "[") && replaced.MatchString(secret.Value) {
			continue
		}
		clean, parts := Credential(secret.What, secret.Value)
		secrets = append(secrets, parts...)
		if raw, err := url.QueryUnescape(secret.Value); err == nil && raw != secret.Value {
			secrets = append(secrets, Secret{What: secret.What, Value: raw})
		}
		if raw, err := url.PathUnescape(secret.Value); err == nil && raw != secret.Value {
			secrets = append(secrets, Secret{What: secret.What, Value: raw})
		}
		out.WriteString(text[end:start] + strings.Replace(text[start:stop], secret.Value, clean, 1))
		end = stop
	}
	if end == 0 {
		return text, nil
	}
	return out.String() + text[end:], secrets
}
