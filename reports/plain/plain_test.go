package plain_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	"github.com/gatecert/gatecert/reports/plain"
)

func TestPlain(t *testing.T) {
	tests := []struct {
		name, text string
		limit      int
		want       string
	}{
		{"text stays as it is", `model "é漢👩" \ not | found`, 99, `model "é漢👩" \ not | found`},
		{"a terminal sequence is shown", "\x1b[31mred\x1b]0;title\x07", 99, `\x1b[31mred\x1b]0;title\x07`},
		{"line ends and tabs are shown", "a\r\nb\tc", 99, `a\r\nb\tc`},
		{"a change of direction is shown", "\u202egpj.exe\u2066", 99, `\u202egpj.exe\u2066`},
		{"what has no width is shown", "a\u200bb\ufeffc\u2028\U000e0001", 99, `a\u200bb\ufeffc\u2028\U000e0001`},
		{"a C1 control is shown", "\u009b31m", 99, `\u009b31m`},
		{"bytes that are no UTF-8 are shown", "\xff\xc3(", 99, `\xff\xc3(`},
		{"a replacement character that was sent is text", "\ufffd", 99, "\ufffd"},
		{"text at the limit is whole", "abcde", 5, "abcde"},
		{"text over the limit is cut and marked", "abcdef", 5, "abcd…"},
		{"no escape is cut in half", "abc\x1b", 5, "abc…"},
		{"no room, no text", "abc", 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { assert.Equal(t, tt.want, plain.Text(tt.text, tt.limit)) })
	}
}

func FuzzPlain(f *testing.F) {
	f.Add("text", 10)
	f.Add("</script>\x1b[31m\x1b]0;owned\x07\u202e\xff", 40)
	f.Add(strings.Repeat("\xff", 9), 7)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		got := plain.Text(text, limit)
		if !utf8.ValidString(got) {
			t.Fatalf("not UTF-8: %q", got)
		}
		if n := utf8.RuneCountInString(got); n > max(limit, 0) {
			t.Fatalf("%d runes, limit %d", n, limit)
		}
		for _, r := range got {
			if !unicode.IsPrint(r) {
				t.Fatalf("%U is not printable", r)
			}
		}
	})
}
func TestNumbersWithANoun(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "0 calls", plain.Count(0, "call"))
	assert.Equal(t, "1 call", plain.Count(1, "call"))
	assert.Equal(t, "-1 calls", plain.Count(-1, "call"))
	assert.Equal(t, "1 entry", plain.Count(1, "entry"))
	assert.Equal(t, "2 more entries", plain.Count(2, "more entry"))
	assert.Equal(t, "2 gateways", plain.Count(2, "gateway"))
	assert.Equal(t, "18446744073709551615 calls", plain.Count(^uint64(0), "call"))
	assert.Equal(t, "1 call is", plain.Are(1, "call"))
	assert.Equal(t, "2 calls are", plain.Are(2, "call"))
	assert.Equal(t, "1 call was", plain.Were(uint64(1), "call"))
	assert.Equal(t, "0 calls were", plain.Were(0, "call"))
}
