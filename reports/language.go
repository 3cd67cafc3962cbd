package reports

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/clipperhouse/displaywidth"
)

// Language is the language of a report. Text from a gateway, ids, names and the notes in a log are not translated. The zero value is English.
type Language struct {
	// name is the BCP 47 tag.
	name      string
	sentences map[string]string
	phrases   []phrase
	// missing, when not nil, gets every text without a translation.
	missing func(string)
}

// phrase translates texts that differ in some places.
type phrase struct {
	pattern *regexp.Regexp
	// parts are the texts between the places, and places the number of each, in the order of the translation.
	parts  []string
	places []int
	// literal is how much of a text it says itself, in bytes.
	literal int
}

// LanguageNames returns the names that [LanguageNamed] accepts.
func LanguageNames() []string { return []string{"en", "zh"} }

// LanguageNamed returns the language with the given name: "en", or "zh" for simplified Chinese.
func LanguageNamed(name string) (l Language, ok bool) {
	switch name {
	case "en", "":
		return Language{}, true
	case "zh":
		return chinese(), true
	default:
		return Language{}, false
	}
}

// newLanguage makes a language from its catalogue. In a text with places, "{}" is any text, "{*}" one that stays as it is, "{#}" a number, and "(s)" an s or none;
// {1} in the translation is the first of them.
func newLanguage(name string, catalogue [][2]string) Language {
	l := Language{name: name, sentences: make(map[string]string)}
	for _, entry := range catalogue {
		if !slices.ContainsFunc([]string{"{}", "{*}", "{#}", "(s)"}, func(place string) bool { return strings.Contains(entry[0], place) }) {
			l.sentences[entry[0]] = entry[1]
			continue
		}
		l.phrases = append(l.phrases, newPhrase(entry[0], entry[1]))
	}
	// The phrase that says most comes first: "{} of {} rows fail" before "{} of {}".
	slices.SortStableFunc(l.phrases, func(a, b phrase) int { return b.literal - a.literal })
	return l
}

func newPhrase(english, translated string) phrase {
	quoted := regexp.QuoteMeta(english)
	quoted = strings.NewReplacer(`\{\}`, `(.+?)`, `\{#\}`, `(\d[\d,.]*)`, `\(s\)`, `s?`).Replace(quoted)
	for n := 1; strings.Contains(quoted, `\{\*\}`); n++ { // two groups cannot have one name
		quoted = strings.Replace(quoted, `\{\*\}`, fmt.Sprintf(`(?P<raw%d>.+)`, n), 1)
	}
	// A number says a little more than any text does.
	literal := len(strings.NewReplacer("{}", "", "{*}", "", "{#}", "#", "(s)", "").Replace(english))
	p := phrase{literal: literal, pattern: regexp.MustCompile(`(?s)^` + quoted + `$`)}
	for rest := translated; ; {
		before, after, found := strings.Cut(rest, "{")
		p.parts = append(p.parts, before)
		if !found {
			return p
		}
		p.places = append(p.places, int(after[0]-'0'))
		rest = after[2:]
	}
}

// catalogue is the language as JSON, for the script of a page.
func (l Language) catalogue() ([]byte, error) {
	var out struct {
		Lang      string      `json:"lang"`
		Sentences [][2]string `json:"sentences"`
		Phrases   [][3]any    `json:"phrases"`
		// Vague is the place of the first phrase that says little more than a sign of punctuation.
		Vague int `json:"vague"`
	}
	out.Lang = l.name
	for _, english := range slices.Sorted(maps.Keys(l.sentences)) {
		out.Sentences = append(out.Sentences, [2]string{english, l.sentences[english]})
	}
	out.Vague = slices.IndexFunc(l.phrases, func(p phrase) bool { return p.literal <= vague })
	for _, p := range l.phrases {
		// A hyphen needs no escape, and Go's flag is the script's.
		out.Phrases = append(out.Phrases, [3]any{strings.ReplaceAll(strings.TrimPrefix(p.pattern.String(), "(?s)"), "(?P<", "(?<"), p.parts, p.places})
	}
	return json.Marshal(out)
}

// text translates a text: one of the catalogue, or several with a space between them. What is not in the catalogue stays as it is.
func (l Language) text(s string) string {
	if l.name == "" || s == "" {
		return s
	}
	if translated, ok := l.known(s); ok {
		return translated
	}
	if l.missing != nil && strings.ContainsFunc(s, unicode.IsLetter) {
		l.missing(s)
	}
	return s
}

func (l Language) known(s string) (translated string, ok bool) {
	if translated, ok = l.sentences[s]; ok {
		return translated, true
	}
	// Several sentences: the first ends with a full stop, and the rest is translated by itself.
	for at := 0; ; {
		i := strings.Index(s[at:], ". ")
		if i < 0 {
			break
		}
		at += i + 1
		if first, ok := l.sentences[s[:at]]; ok {
			return first + l.text(s[at+1:]), true
		}
		at++
	}
	name, found, named := strings.Cut(s, ": ")
	for _, p := range l.phrases {
		if named && p.literal <= vague {
			named = false
			if translated, ok := l.sentences[name]; ok { // the name of a fault, and what was found
				return translated + "：" + l.part(found), true
			}
		}
		match := p.pattern.FindStringSubmatch(s)
		if match == nil {
			continue
		}
		var out strings.Builder
		changed := p.literal > vague
		for i, part := range p.parts {
			out.WriteString(part)
			if i < len(p.places) {
				text := match[p.places[i]]
				if !strings.HasPrefix(p.pattern.SubexpNames()[p.places[i]], "raw") {
					text = l.part(text)
				}
				changed = changed || text != match[p.places[i]]
				out.WriteString(text)
			}
		}
		if changed { // else a comma in a gateway's words would become another
			return out.String(), true
		}
	}
	return s, false
}

// unspaced reports whether lines may be broken between any two characters of the language's script.
func (l Language) unspaced() bool { return l.name == "zh" }

// unspacedParts are the parts of a word between which a line may be broken: a closing sign stays with what is before it, an
// opening one with what is after it, and no part is wider than some columns.
func unspacedParts(word string, columns int) []string {
	var parts []string
	opened, wide := false, false
	for _, r := range word {
		isWide := displaywidth.Rune(r) == 2
		switch {
		case len(parts) == 0, !opened && !strings.ContainsRune("，。：；、）”？！", r) && (isWide || wide):
			parts = append(parts, string(r))
		default:
			parts[len(parts)-1] += string(r)
		}
		opened, wide = strings.ContainsRune("（“", r), isWide
	}
	var fitting []string
	for _, part := range parts {
		fitting = append(fitting, broken(part, columns)...)
	}
	return fitting
}

// vague is how much a phrase says that is little more than a sign of punctuation, in bytes.
const vague = 4

// part is what stands in a place of a phrase: a text of the catalogue, or else an id, a number or a gateway's words.
func (l Language) part(s string) string {
	if strings.HasPrefix(s, `"`) {
		return s // a gateway's words
	}
	translated, _ := l.known(s)
	return translated
}
