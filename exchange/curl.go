package exchange

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gatecert/gatecert/exchange/redact"
)

// keyVariable returns the shell variable that stands for the key. Each role of a key has its own: the valid key would not
// reproduce the answer to a wrong one.
func (r *request) keyVariable() string {
	if r.keyRole == "" {
		return `"$GATEWAY_KEY"`
	}
	return `"$GATEWAY_KEY_` + notInName.ReplaceAllString(strings.ToUpper(r.keyRole), "_") + `"`
}

var notInName = regexp.MustCompile(`[^A-Z0-9]`)

// curl returns a POSIX shell command that sends the same request. The key is in GATEWAY_KEY (the spent key in
// GATEWAY_KEY_SPENT_KEY, and so on); other secrets are replaced by their names. A comment line before the command says what
// curl cannot do.
func (r *request) curl(redactor *redact.Redactor, capture int) string {
	words := []string{"curl", "-sS", "-i", "-N"}
	if strings.ContainsAny(r.target, "[]{}") {
		words = append(words, "-g") // otherwise curl interprets brackets as patterns
	}
	if strings.Contains(r.target+"/", "/../") || strings.Contains(r.target+"/", "/./") {
		words = append(words, "--path-as-is")
	}
	if r.method == http.MethodHead {
		words = append(words, "--head")
	} else {
		words = append(words, "-X", r.method)
	}
	words = append(words, r.quote(redactor.Text(r.target)))
	for _, name := range slices.Sorted(maps.Keys(r.header)) {
		if name == "Content-Type" && r.isForm() {
			continue // curl has a boundary of its own
		}
		for _, value := range r.header[name] {
			if !strings.Contains(value, keyMark) {
				value = redactor.Field(name, value)
			}
			words = append(words, "-H", r.quote(name+": "+value))
		}
	}
	for _, name := range []string{"User-Agent", "Content-Type"} {
		if r.header.Get(name) == "" {
			words = append(words, "-H", r.quote(name+":")) // otherwise curl sends its own
		}
	}
	return r.curlBody(strings.Join(words, " "), redactor, capture)
}

func (r *request) curlBody(line string, redactor *redact.Redactor, capture int) string {
	head, _ := redactor.Bytes(r.body.head)
	tail, _ := redactor.Bytes(r.body.tail)
	switch {
	case r.method == http.MethodGet || r.method == http.MethodHead:
		return line
	case r.isForm():
		return r.curlForm(line, redactor)
	case len(head)+len(tail) > capture:
		return fmt.Sprintf("# the body of %d bytes is not shown\n%s --data-binary @body", r.body.size(), line)
	case r.body.pad > 0:
		return fmt.Sprintf(`{ %s; head -c %d /dev/zero | tr '\0' %c; %s; } | %s --data-binary @-`,
			r.output(head), r.body.pad, filler, r.output(tail), line)
	case r.body.missing > 0 && !printable(head):
		return fmt.Sprintf("# curl cannot half-close a connection, so the gateway keeps waiting for %d more bytes\n"+
			"%s | %s -H 'Content-Length: %d' --data-binary @-",
			r.body.missing, r.output(head), line, r.body.size()+r.body.missing)
	case r.body.missing > 0:
		return fmt.Sprintf("# curl cannot half-close a connection, so the gateway keeps waiting for %d more bytes\n"+
			"%s -H 'Content-Length: %d' --data-binary %s",
			r.body.missing, line, r.body.size()+r.body.missing, r.quote(string(head)))
	case !printable(head):
		return r.output(head) + " | " + line + " --data-binary @-"
	default:
		return line + " --data-binary " + r.quote(string(head))
	}
}

// quote quotes a word for a POSIX shell. The mark of the key becomes the variable.
func (r *request) quote(word string) string {
	word = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	variable := r.keyVariable()
	word = strings.ReplaceAll(word, keyMark, "'"+variable+"'")
	if kept, ok := strings.CutSuffix(word, variable+"''"); ok {
		return kept + variable
	}
	return word
}

// silentRun is from how many zero bytes on a command names their number. Audio of silence is full of them, and escapes of each
// made lines too long to be shown.
const silentRun = 32

// output returns a shell command that prints exactly these bytes, long runs of zero bytes in a short way.
func (r *request) output(content []byte) string {
	var commands []string
	zeros := bytes.Repeat([]byte{0}, silentRun)
	for len(content) > 0 {
		at := bytes.Index(content, zeros)
		if at < 0 {
			at = len(content)
		}
		if at > 0 {
			commands = append(commands, r.printf(content[:at]))
		}
		rest := bytes.TrimLeft(content[at:], "\x00")
		if n := len(content) - at - len(rest); n > 0 {
			commands = append(commands, fmt.Sprintf("head -c %d /dev/zero", n))
		}
		content = rest
	}
	switch len(commands) {
	case 0:
		return "printf ''"
	case 1:
		return commands[0]
	default:
		return "{ " + strings.Join(commands, "; ") + "; }"
	}
}

// printf returns the shell command that prints exactly these bytes.
func (r *request) printf(content []byte) string {
	if printable(content) {
		return "printf %s " + r.quote(string(content))
	}
	var format strings.Builder
	for i, b := range content {
		switch {
		case i == 0 && b == '-': // it would begin an option
			format.WriteString(`\055`)
		case b == '%':
			format.WriteString("%%")
		case b == '\\':
			format.WriteString(`\\`)
		case b < ' ' || b >= 0x7f:
			fmt.Fprintf(&format, `\%03o`, b)
		default:
			format.WriteByte(b)
		}
	}
	return "printf " + r.quote(format.String())
}

// printable reports whether content needs no escapes in a command: UTF-8 without control characters.
func printable(content []byte) bool {
	return utf8.Valid(content) && !strings.ContainsFunc(string(content), func(c rune) bool {
		return c < ' ' || c >= 0x7f && c < 0xa0
	})
}
