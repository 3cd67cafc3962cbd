package limits

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// item is an item of a structured field (RFC 9651) with its parameters. Values are int64, float64, string, bool, or
// token and bytes as strings: nothing here tells those apart.
type item struct {
	value  any
	params map[string]any
}

// errField is returned when a header field is no list of items.
var errField = errors.New("no structured field")

// parseList reads a list of items with parameters (RFC 9651 4.2.1). Inner lists, dates and display strings, which no
// rate limit field has, are errors.
func parseList(text string) ([]item, error) {
	p := &parser{rest: strings.Trim(text, " ")}
	var list []item
	for p.rest != "" {
		one, err := p.item()
		if err != nil {
			return nil, fmt.Errorf("%w: %w at %q", errField, err, clip(p.rest))
		}
		list = append(list, one)
		p.space(" \t")
		if p.rest == "" {
			return list, nil
		}
		if !p.take(',') {
			return nil, fmt.Errorf("%w: want a comma at %q", errField, clip(p.rest))
		}
		p.space(" \t")
		if p.rest == "" {
			return nil, fmt.Errorf("%w: a comma at the end", errField)
		}
	}
	return list, nil
}

// parser consumes a field from the left.
type parser struct{ rest string }

func (p *parser) space(of string) { p.rest = strings.TrimLeft(p.rest, of) }

func (p *parser) take(c byte) bool {
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

// while takes the longest prefix of allowed bytes.
func (p *parser) while(allowed func(byte) bool) string {
	n := 0
	for n < len(p.rest) && allowed(p.rest[n]) {
		n++
	}
	taken := p.rest[:n]
	p.rest = p.rest[n:]
	return taken
}

func (p *parser) item() (item, error) {
	value, err := p.bare()
	if err != nil {
		return item{}, err
	}
	one := item{value: value, params: map[string]any{}}
	for p.take(';') {
		p.space(" ")
		key := p.while(func(c byte) bool { return isLower(c) || isDigit(c) || strings.IndexByte("_-.*", c) >= 0 })
		if key == "" || isDigit(key[0]) || key[0] == '-' || key[0] == '.' || key[0] == '_' {
			return item{}, errors.New("want a parameter's name")
		}
		one.params[key] = true
		if p.take('=') {
			if one.params[key], err = p.bare(); err != nil {
				return item{}, err
			}
		}
	}
	return one, nil
}

// bare reads a bare item (RFC 9651 4.2.3.1).
func (p *parser) bare() (any, error) {
	if p.rest == "" {
		return nil, errors.New("want a value")
	}
	switch c := p.rest[0]; {
	case c == '-' || isDigit(c):
		return p.number()
	case c == '"':
		return p.quoted()
	case c == ':':
		return p.bytes()
	case c == '?':
		if len(p.rest) < 2 || p.rest[1] != '0' && p.rest[1] != '1' {
			return nil, errors.New("want ?0 or ?1")
		}
		value := p.rest[1] == '1'
		p.rest = p.rest[2:]
		return value, nil
	case c == '*' || isLower(c) || c >= 'A' && c <= 'Z':
		return p.while(func(c byte) bool {
			return isLower(c) || isDigit(c) || c >= 'A' && c <= 'Z' || strings.IndexByte("!#$%&'*+-.^_`|~:/", c) >= 0
		}), nil
	default:
		return nil, errors.New("want a value")
	}
}

// number reads an integer of up to 15 digits, or a decimal of up to 12 and 3 digits.
func (p *parser) number() (any, error) {
	sign := ""
	if p.take('-') {
		sign = "-"
	}
	whole := p.while(isDigit)
	if whole == "" || len(whole) > 15 {
		return nil, errors.New("want a number of up to 15 digits")
	}
	if !p.take('.') {
		return strconv.ParseInt(sign+whole, 10, 64)
	}
	fraction := p.while(isDigit)
	if fraction == "" || len(fraction) > 3 || len(whole) > 12 {
		return nil, errors.New("want a decimal of up to 12 and 3 digits")
	}
	return strconv.ParseFloat(sign+whole+"."+fraction, 64)
}

func (p *parser) quoted() (any, error) {
	var out strings.Builder
	for at := 1; at < len(p.rest); at++ {
		switch c := p.rest[at]; {
		case c == '"':
			p.rest = p.rest[at+1:]
			return out.String(), nil
		case c == '\\':
			at++
			if at == len(p.rest) || p.rest[at] != '"' && p.rest[at] != '\\' {
				return nil, errors.New(`want \" or \\ in a string`)
			}
			out.WriteByte(p.rest[at])
		case c < ' ' || c > '~':
			return nil, errors.New("want printable ASCII in a string")
		default:
			out.WriteByte(c)
		}
	}
	return nil, errors.New("want the end of a string")
}

func (p *parser) bytes() (any, error) {
	end := strings.IndexByte(p.rest[1:], ':')
	if end < 0 {
		return nil, errors.New("want the end of a byte sequence")
	}
	value := p.rest[1 : 1+end]
	p.rest = p.rest[end+2:]
	return value, nil
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isLower(c byte) bool { return c >= 'a' && c <= 'z' }

// clip keeps what a gateway sent to a length that fits a line.
func clip(text string) string {
	const most = 40
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}
