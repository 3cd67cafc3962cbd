package upstream

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Word explains one word of a directive.
type Word struct {
	Name string
	// Values says what may stand after "=". "" means the word stands alone.
	Values   string
	Sentence string
}

// Vocabulary returns every word of a directive in the order in which [Directive.String] writes them.
func Vocabulary() []Word {
	words := vocabulary()
	explained := make([]Word, len(words))
	for i, w := range words {
		explained[i] = w.Word
	}
	return explained
}

// word ties a word to the field it stands for, so that reading, writing and explaining cannot disagree.
type word struct {
	Word
	repeats bool
	// read puts the value into the directive.
	read func(d *Directive, value string) error
	// write returns the values the word has in the directive: none when it is absent, "" when it stands alone.
	write func(d Directive) []string
}

const (
	maxCount   = 10_000
	maxHeaders = 16
	maxToken   = 64
	maxWait    = 10 * time.Minute

	countValues = "0 … 10000"
	spanValues  = "a duration up to 10m, such as 250ms"
	textValues  = "text, query-escaped"
)

func vocabulary() []word {
	return []word{
		tokenWord(),
		numberWord("status", "200 … 599 but 421", "Answer with this status. From 400 on the body is the protocol's own error, for 3xx it is empty, unless body says otherwise.",
			200, 599, func(d *Directive) *int { return &d.Status }),
		bodyWord(),
		contentWord(NoChoices, "Answer 200 with no choice, content, candidate or vector; as a stream, start and finish without content."),
		contentWord(EmptyStream, "Answer 200 with an event stream that ends without an event."),
		contentWord(Refusal, "Refuse the prompt on policy grounds, in the protocol's own way and with its own status."),
		endingWord(Hang, "Never send a head."),
		endingWord(Reset, "Reset the connection (TCP RST) in place of an answer."),
		endingWord(Close, "Close the connection in place of an answer."),
		endingWord(Stall, "Send half of the answer, then nothing until the other side gives up."),
		afterWord(StallAfter, "Send n stream events, then nothing until the other side gives up."),
		afterWord(CutAfter, "Send n stream events, then break the connection."),
		afterWord(EndAfter, "Send n stream events, then end the transfer in order, without finish or end marker."),
		afterWord(ErrorAfter, "Send n stream events, then the protocol's own error event, then the end."),
		endingWord(NoDone, "Send content and finish, but not the end marker ([DONE], or message_stop); other streams have none."),
		truncateWord(),
		numberWord("broken-event", "1 … 10000", "Break the JSON of the n-th stream event.",
			1, maxCount, func(d *Directive) *int { return &d.BrokenEvent }),
		numberWord("chunks", "1 … 10000", "Answer healthily in n content deltas in place of 3.",
			1, maxCount, func(d *Directive) *int { return &d.Chunks }),
		spanWord("delay", "Wait before the head, or before what comes in its place.", func(d *Directive) *time.Duration { return &d.Delay }),
		spanWord("gap", "Wait between two stream events.", func(d *Directive) *time.Duration { return &d.Gap }),
		flagWord("crlf", "End the lines of the event stream with CR LF.", func(d *Directive) *bool { return &d.CRLF }),
		flagWord("comments", "Put a keep-alive comment before every stream event.", func(d *Directive) *bool { return &d.Comments }),
		textWord("retry-after", "Add a Retry-After field.", fieldValue, func(d *Directive) *string { return &d.RetryAfter }),
		headerWord(),
		textWord("code", "Replace the code of the error object (Gemini: the reason in its details).", plainText, func(d *Directive) *string { return &d.Code }),
		textWord("type", "Replace the type of the error object (Gemini: its status).", plainText, func(d *Directive) *string { return &d.Type }),
		textWord("message", "Replace the message of the error object.", plainText, func(d *Directive) *string { return &d.Message }),
	}
}

func tokenWord() word {
	return word{
		Word: Word{"token", "1 to 64 of A-Z a-z 0-9 . _ -", "Record what is seen of this request under the token."},
		read: func(d *Directive, value string) error {
			if !validToken(value) {
				return fmt.Errorf("no token: %q", clip(value))
			}
			d.Token = value
			return nil
		},
		write: func(d Directive) []string { return present(d.Token) },
	}
}

func validToken(s string) bool { return len(s) <= maxToken && plainName(s) }

// plainName reports whether s is made of characters that no encoding on the way escapes.
func plainName(s string) bool {
	for _, r := range s {
		plain := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r)
		if !plain {
			return false
		}
	}
	return s != ""
}

func bodyWord() word {
	bodies := []Content{ErrorBody, ForeignBody, HTMLBody, TextBody, EmptyBody, BrokenJSON, NullBody}
	return word{
		Word: Word{"body", "error|foreign|html|text|empty|broken-json|null", "Answer with this body and no stream, whatever the status: error is the protocol's own error object (inside a 200 too), foreign is JSON without one."},
		read: func(d *Directive, value string) error {
			if !slices.Contains(bodies, Content(value)) {
				return fmt.Errorf("no such body: %q", clip(value))
			}
			return d.setContent(Content(value))
		},
		write: func(d Directive) []string {
			if slices.Contains(bodies, d.Content) {
				return []string{string(d.Content)}
			}
			return nil
		},
	}
}

func contentWord(content Content, sentence string) word {
	return word{
		Word:  Word{string(content), "", sentence},
		read:  func(d *Directive, _ string) error { return d.setContent(content) },
		write: func(d Directive) []string { return alone(d.Content == content) },
	}
}

func endingWord(ending Ending, sentence string) word {
	return word{
		Word:  Word{string(ending), "", sentence},
		read:  func(d *Directive, _ string) error { return d.setEnding(ending) },
		write: func(d Directive) []string { return alone(d.Ending == ending) },
	}
}

func afterWord(ending Ending, sentence string) word {
	return word{
		Word: Word{string(ending), countValues, sentence},
		read: func(d *Directive, value string) error {
			n, err := number(value, 0, maxCount)
			if err != nil {
				return fmt.Errorf("%s: %w", ending, err)
			}
			d.After = n
			return d.setEnding(ending)
		},
		write: func(d Directive) []string {
			if d.Ending != ending {
				return nil
			}
			return []string{strconv.Itoa(d.After)}
		},
	}
}

func truncateWord() word {
	endings := []Ending{TruncateLength, TruncateChunk, TruncateGzip}
	return word{
		Word: Word{"truncate", "length|chunk|gzip", "Send half of the body: short of its Content-Length, without the last chunk, or as half of a gzip body."},
		read: func(d *Directive, value string) error {
			ending := Ending("truncate=" + value)
			if !slices.Contains(endings, ending) {
				return fmt.Errorf("no such truncation: %q", clip(value))
			}
			return d.setEnding(ending)
		},
		write: func(d Directive) []string {
			if !slices.Contains(endings, d.Ending) {
				return nil
			}
			return []string{strings.TrimPrefix(string(d.Ending), "truncate=")}
		},
	}
}

func headerWord() word {
	return word{
		Word:    Word{"header", "Name:value, the value query-escaped", "Add a field to the head; may stand up to 16 times. Fields that frame the message are refused."},
		repeats: true,
		read: func(d *Directive, value string) error {
			name, escaped, _ := strings.Cut(value, ":")
			content, err := unescape(escaped, fieldValue)
			switch {
			case err != nil:
				return fmt.Errorf("header: %w", err)
			case !plainName(name):
				return fmt.Errorf("no header name: %q", clip(name))
			case framing(name):
				return fmt.Errorf("header %s frames the message", name)
			case len(d.Headers) == maxHeaders:
				return fmt.Errorf("more than %d headers", maxHeaders)
			}
			d.Headers = append(d.Headers, Header{name, content})
			return nil
		},
		write: func(d Directive) []string {
			var values []string
			for _, h := range d.Headers {
				values = append(values, h.Name+":"+url.QueryEscape(h.Value))
			}
			return values
		},
	}
}

func numberWord(name, values, sentence string, low, high int, field func(*Directive) *int) word {
	return word{
		Word: Word{name, values, sentence},
		read: func(d *Directive, value string) error {
			n, err := number(value, low, high)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			*field(d) = n
			return nil
		},
		write: func(d Directive) []string {
			if n := *field(&d); n != 0 {
				return []string{strconv.Itoa(n)}
			}
			return nil
		},
	}
}

func spanWord(name, sentence string, field func(*Directive) *time.Duration) word {
	return word{
		Word: Word{name, spanValues, sentence},
		read: func(d *Directive, value string) error {
			span, err := time.ParseDuration(value)
			if err != nil || span <= 0 || span > maxWait {
				return fmt.Errorf("%s: %q is not %s", name, clip(value), spanValues)
			}
			*field(d) = span
			return nil
		},
		write: func(d Directive) []string {
			if span := *field(&d); span != 0 {
				// Directives stay within ASCII.
				return []string{strings.Replace(span.String(), "µ", "u", 1)}
			}
			return nil
		},
	}
}

func flagWord(name, sentence string, field func(*Directive) *bool) word {
	return word{
		Word:  Word{name, "", sentence},
		read:  func(d *Directive, _ string) error { *field(d) = true; return nil },
		write: func(d Directive) []string { return alone(*field(&d)) },
	}
}

func textWord(name, sentence string, valid func(string) bool, field func(*Directive) *string) word {
	return word{
		Word: Word{name, textValues, sentence},
		read: func(d *Directive, value string) error {
			text, err := unescape(value, valid)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			*field(d) = text
			return nil
		},
		write: func(d Directive) []string { return present(url.QueryEscape(*field(&d))) },
	}
}

func (d *Directive) setContent(content Content) error {
	if d.Content != "" {
		return fmt.Errorf("%s contradicts %s: both say what is answered", content, d.Content)
	}
	d.Content = content
	return nil
}

func (d *Directive) setEnding(ending Ending) error {
	if d.Ending != "" {
		return fmt.Errorf("%s contradicts %s: both say how it ends", ending, d.Ending)
	}
	d.Ending = ending
	return nil
}

func present(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}

func alone(is bool) []string {
	if !is {
		return nil
	}
	return []string{""}
}

func number(value string, low, high int) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < low || n > high {
		return 0, fmt.Errorf("%q is no number from %d to %d", clip(value), low, high)
	}
	return n, nil
}

func unescape(value string, valid func(string) bool) (string, error) {
	text, err := url.QueryUnescape(value)
	if err != nil || !valid(text) {
		return "", fmt.Errorf("%q is not valid, query-escaped text", clip(value))
	}
	return text, nil
}

func plainText(s string) bool { return utf8.ValidString(s) }

// fieldValue reports whether s can stand in a header field (RFC 9110 5.5).
func fieldValue(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}

// framing reports whether the field decides where the message ends, which is for the endings to say.
func framing(name string) bool {
	return slices.ContainsFunc([]string{"Content-Length", "Transfer-Encoding", "Connection", "Trailer", "Upgrade"},
		func(f string) bool { return strings.EqualFold(f, name) })
}
