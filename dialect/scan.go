package dialect

import "encoding/binary"

// A load test looks at each response. encoding/json takes 10 µs to check a kilobyte and 10 more to find a member in it, which is most of what
// a request costs; this takes one.

// maxScanDepth bounds the nesting of what is scanned. Answers have up to ten levels.
const maxScanDepth = 64

// ScanObject reports whether data is certainly one JSON object and nothing else (RFC 8259). It calls visit with the key, unparsed and without quotes,
// and the value of each member. ScanObject may reject valid but rare input, such as a key with an escape or 64 levels of nesting. It never accepts
// input that encoding/json rejects.
func ScanObject(data []byte, visit func(key, value []byte)) bool {
	s := scanner{data: data}
	s.space()
	return s.peek() == '{' && s.object(0, visit) && s.ended()
}

// IsCertainJSON reports whether data is certainly one JSON value and nothing else. It has the same limitations as [ScanObject].
func IsCertainJSON(data []byte) bool {
	s := scanner{data: data}
	s.space()
	return s.value(0) && s.ended()
}

// scanner reads JSON from at on. Its methods return false when it is not valid, or too deep.
type scanner struct {
	data []byte
	at   int
}

// peek returns the next byte, 0 at the end.
func (s *scanner) peek() byte {
	if s.at < len(s.data) {
		return s.data[s.at]
	}
	return 0
}

func (s *scanner) space() {
	for s.at < len(s.data) {
		switch s.data[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}

func (s *scanner) ended() bool {
	s.space()
	return s.at == len(s.data)
}

func (s *scanner) value(depth int) bool {
	switch c := s.peek(); c {
	case '{':
		return s.object(depth, nil)
	case '[':
		return s.array(depth)
	case '"':
		_, ok := s.text()
		return ok
	case 't':
		return s.word("true")
	case 'f':
		return s.word("false")
	case 'n':
		return s.word("null")
	default:
		return s.number()
	}
}

func (s *scanner) word(word string) bool {
	if len(s.data)-s.at < len(word) || string(s.data[s.at:s.at+len(word)]) != word {
		return false
	}
	s.at += len(word)
	return true
}

// object reads an object, whose brace is next. visit may be nil.
func (s *scanner) object(depth int, visit func(key, value []byte)) bool {
	if depth == maxScanDepth {
		return false
	}
	s.at++
	s.space()
	if s.peek() == '}' {
		s.at++
		return true
	}
	for {
		begin := s.at + 1
		if s.peek() != '"' {
			return false
		}
		escaped, ok := s.text()
		if !ok || escaped && visit != nil {
			return false
		}
		key := s.data[begin : s.at-1]
		s.space()
		if s.peek() != ':' {
			return false
		}
		s.at++
		s.space()
		begin = s.at
		if !s.value(depth + 1) {
			return false
		}
		if visit != nil {
			visit(key, s.data[begin:s.at])
		}
		if more, ok := s.next('}'); !more {
			return ok
		}
	}
}

// array reads an array, whose bracket is next.
func (s *scanner) array(depth int) bool {
	if depth == maxScanDepth {
		return false
	}
	s.at++
	s.space()
	if s.peek() == ']' {
		s.at++
		return true
	}
	for {
		if !s.value(depth + 1) {
			return false
		}
		if more, ok := s.next(']'); !more {
			return ok
		}
	}
}

// next reads what follows a member or an element: a comma, or the end.
func (s *scanner) next(end byte) (more, ok bool) {
	s.space()
	c := s.peek()
	s.at++
	if c != ',' {
		return false, c == end
	}
	s.space()
	return true, true
}

// text reads a string, whose quote is next. escaped says that it has an escape.
func (s *scanner) text() (escaped, ok bool) {
	s.at++
	s.at += plainBytes(s.data[s.at:])
	for ; s.at < len(s.data); s.at++ {
		switch c := s.data[s.at]; {
		case c == '"':
			s.at++
			return escaped, true
		case c < ' ':
			return escaped, false
		case c == '\\':
			escaped = true
			if s.at++; !s.escape() {
				return escaped, false
			}
		}
	}
	return escaped, false
}

// plainBytes returns how many bytes at the beginning, in steps of eight, are certainly neither a quote nor a backslash nor a control
// character: most of an answer is text.
func plainBytes(data []byte) (n int) {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for ; n+8 <= len(data); n += 8 {
		w := binary.LittleEndian.Uint64(data[n:])
		quote, backslash := w^(ones*'"'), w^(ones*'\\')
		if ((quote-ones)&^quote|(backslash-ones)&^backslash|(w-ones*' ')&^w)&tops != 0 {
			return n
		}
	}
	return n
}

// escape reads what follows a backslash, up to its last byte.
func (s *scanner) escape() bool {
	switch s.peek() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	case 'u':
		for range 4 {
			s.at++
			if c := s.peek() | 0x20; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
				return false
			}
		}
		return true
	default:
		return false
	}
}

func (s *scanner) number() bool {
	if s.peek() == '-' {
		s.at++
	}
	if s.peek() == '0' {
		s.at++
	} else if !s.digits() {
		return false
	}
	if s.peek() == '.' {
		if s.at++; !s.digits() {
			return false
		}
	}
	if s.peek()|0x20 == 'e' {
		s.at++
		if c := s.peek(); c == '+' || c == '-' {
			s.at++
		}
		return s.digits()
	}
	return true
}

// digits reads one digit or more.
func (s *scanner) digits() bool {
	begin := s.at
	for c := s.peek(); c >= '0' && c <= '9'; c = s.peek() {
		s.at++
	}
	return s.at > begin
}
