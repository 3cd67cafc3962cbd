package yamlfile

import "fmt"

// Nearest returns the known word within two edits of a typo, or "" if there is none. The edits must change less than half of the typo: for example,
// bash is not a correction of tcsh.
func Nearest[T ~string](typo string, known []T) T {
	best, bestDistance := T(""), 3
	for _, word := range known {
		if d := distance(typo, string(word)); d < bestDistance && 2*d < len(typo) {
			best, bestDistance = word, d
		}
	}
	return best
}

// DidYouMean returns a question that suggests the nearest known word. If no known word is near, it returns otherwise.
func DidYouMean[T ~string](typo string, known []T, otherwise string) string {
	if near := Nearest(typo, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return otherwise
}

// distance is the least number of edits between two words: a letter more, less or another, or two neighbours exchanged, which is the
// commonest typo (optimal string alignment).
func distance(a, b string) int {
	before, row := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next := make([]int, len(b)+1)
		next[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next[j+1] = min(row[j+1]+1, next[j]+1, row[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
