package upstream

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// word ties a word to the field that it stands for, so that parsing, formatting and explaining cannot disagree.
type word struct {
	Word

	repeats bool
	// parse puts the value into the directive.
	parse func(d *Directive, value string) error
	// format returns the values that the word has in the directive: none when it is absent, "" when it has no value.
	format func(d Directive) []string
}

// tokenWord is the name under which a request is recorded.
func tokenWord() word {
	return word{
		Word: Word{"token", "1 to 64 characters from A-Z a-z 0-9 . _ -", "Record the request under this token. GET /_gatecert/seen/ followed by the token returns the record."},
		parse: func(d *Directive, value string) error {
			if !validToken(value) {
				return fmt.Errorf("token: %q must consist of 1 to 64 characters from A-Z a-z 0-9 . _ -", clip(value))
			}
			d.Token = value
			return nil
		},
		format: func(d Directive) []string { return ifSet(d.Token) },
	}
}

// The words that say what is sent, and how it ends.

func bodyWord() word {
	bodies := []Content{ErrorBody, AnswerWithError, ForeignBody, HTMLBody, TextBody, EmptyBody, BrokenJSON, NullBody}
	return word{
		Word: Word{"body", "error|answer-with-error|foreign|html|text|empty|broken-json|null", "Respond with this body, even if the request asks for a stream. error is the API format's own error object, even with status 200; answer-with-error is an incomplete answer that also contains the error object; foreign is JSON that is not an error object."},
		parse: func(d *Directive, value string) error {
			if !slices.Contains(bodies, Content(value)) {
				return fmt.Errorf("unknown body: %q", clip(value))
			}
			return d.setContent(Content(value))
		},
		format: func(d Directive) []string {
			if slices.Contains(bodies, d.Content) {
				return []string{string(d.Content)}
			}
			return nil
		},
	}
}

func contentWord(content Content, sentence string) word {
	return word{
		Word:   Word{string(content), "", sentence},
		parse:  func(d *Directive, _ string) error { return d.setContent(content) },
		format: func(d Directive) []string { return ifTrue(d.Content == content) },
	}
}

func endingWord(ending Ending, sentence string) word {
	return word{
		Word:   Word{string(ending), "", sentence},
		parse:  func(d *Directive, _ string) error { return d.setEnding(ending) },
		format: func(d Directive) []string { return ifTrue(d.Ending == ending) },
	}
}

func afterWord(ending Ending, sentence string) word {
	return word{
		Word: Word{string(ending), countValues, sentence},
		parse: func(d *Directive, value string) error {
			n, err := number(value, 0, maxCount)
			if err != nil {
				return fmt.Errorf("%s: %w", ending, err)
			}
			d.After = n
			return d.setEnding(ending)
		},
		format: func(d Directive) []string {
			if d.Ending != ending {
				return nil
			}
			return []string{strconv.Itoa(d.After)}
		},
	}
}

func truncateWord() word {
	const prefix = "truncate="
	endings := []Ending{TruncateLength, TruncateChunk, TruncateGzip}
	return word{
		Word: Word{"truncate", "length|chunk|gzip", "Send only half of the body: fewer bytes than Content-Length announces, a chunked body without its last chunk, or half of a gzip body."},
		parse: func(d *Directive, value string) error {
			ending := Ending(prefix + value)
			if !slices.Contains(endings, ending) {
				return fmt.Errorf("unknown truncation: %q", clip(value))
			}
			return d.setEnding(ending)
		},
		format: func(d Directive) []string {
			if !slices.Contains(endings, d.Ending) {
				return nil
			}
			return []string{strings.TrimPrefix(string(d.Ending), prefix)}
		},
	}
}

func (d *Directive) setContent(content Content) error {
	return choose(&d.Content, content, "what is sent")
}

func (d *Directive) setEnding(ending Ending) error {
	return choose(&d.Ending, ending, "how the response ends")
}

func choose[T ~string](field *T, value T, says string) error {
	if *field != "" {
		return fmt.Errorf("%s contradicts %s: both define %s", value, *field, says)
	}
	*field = value
	return nil
}

func headerWord() word {
	return word{
		Word:    Word{"header", "Name:value, with the value URL-encoded", "Add a header field. This word may be used up to 16 times. Fields that frame the message, such as Content-Length, are rejected."},
		repeats: true,
		parse: func(d *Directive, value string) error {
			name, escaped, _ := strings.Cut(value, ":")
			content, err := unescape(escaped, fieldValue)
			switch {
			case err != nil:
				return fmt.Errorf("header: %w", err)
			case !plainName(name):
				return fmt.Errorf("%q is not a valid header name", clip(name))
			case framing(name):
				return fmt.Errorf("header %s is not allowed: it would change where the message ends", name)
			case len(d.Headers) == maxHeaders:
				return fmt.Errorf("the directive has more than %d headers", maxHeaders)
			}
			d.Headers = append(d.Headers, Header{name, content})
			return nil
		},
		format: func(d Directive) []string {
			var values []string
			for _, h := range d.Headers {
				values = append(values, h.Name+":"+url.QueryEscape(h.Value))
			}
			return values
		},
	}
}

// The words that stand for one field of any type.

// fieldWord reads the value with parse, and writes one that is not zero with format.
func fieldWord[T comparable](
	name, values, sentence string, field func(*Directive) *T, parse func(string) (T, error), format func(T) string,
) word {
	return word{
		Word: Word{name, values, sentence},
		parse: func(d *Directive, value string) (err error) {
			if *field(d), err = parse(value); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			return nil
		},
		format: func(d Directive) []string {
			var zero T
			if *field(&d) == zero {
				return nil
			}
			return []string{format(*field(&d))}
		},
	}
}

func intWord(name, values, sentence string, low, high int, field func(*Directive) *int) word {
	return fieldWord(name, values, sentence, field, func(value string) (int, error) { return number(value, low, high) }, strconv.Itoa)
}

func durationWord(name, sentence string, field func(*Directive) *time.Duration) word {
	return fieldWord(name, durationValues, sentence, field, func(value string) (time.Duration, error) {
		duration, err := time.ParseDuration(value)
		if err != nil || duration <= 0 || duration > maxWait {
			return 0, fmt.Errorf("%q is not %s", clip(value), durationValues)
		}
		return duration, nil
	}, func(d time.Duration) string { return strings.Replace(d.String(), "µ", "u", 1) }) // ASCII only
}

func flagWord(name, sentence string, field func(*Directive) *bool) word {
	return fieldWord(name, "", sentence, field, func(string) (bool, error) { return true, nil }, func(bool) string { return "" })
}

func textWord(name, sentence string, valid func(string) bool, field func(*Directive) *string) word {
	return fieldWord(name, textValues, sentence, field, func(value string) (string, error) { return unescape(value, valid) }, url.QueryEscape)
}

func ifSet(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}

func ifTrue(is bool) []string {
	if !is {
		return nil
	}
	return []string{""}
}
