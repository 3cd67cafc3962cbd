package reports

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/gatecert/gatecert/reports/plain"
)

// pageTexts are texts that many cases have in common. A case has their places.
type pageTexts struct {
	list   []string
	places map[string]int
	size   int // in bytes of JSON
}

func (t *pageTexts) place(text string) int {
	place, known := t.places[text]
	if !known {
		if t.places == nil {
			t.places = make(map[string]int)
		}
		place = len(t.list)
		encoded, _ := json.Marshal(text) // a string can always be encoded
		t.list, t.places[text], t.size = append(t.list, text), place, t.size+len(encoded)+1
	}
	return place
}

// header are the first header fields by name, one line per value.
func (t *pageTexts) header(h map[string][]string) [][2]int {
	const most = 40
	var lines [][2]int
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, v := range h[name] {
			if len(lines) == most {
				return append(lines, [2]int{t.place("…"), t.place("")})
			}
			lines = append(lines, [2]int{t.place(plain.Text(name, nameLimit)), t.place(plain.Text(v, textLimit))})
		}
	}
	return lines
}
