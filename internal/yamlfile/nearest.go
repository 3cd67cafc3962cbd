package yamlfile

import "fmt"

// Nearest is the known word within two edits of a typo, "" if there is none. The edits change less than half of the typo: tcsh is not bash.
func Nearest[T ~string](typo string, known []T) T {
	best, bestDistance := T(""), 3
	for _, word := range known {
		if d := distance(typo, string(word)); d < bestDistance && 2*d < len(typo) {
			best, bestDistance = word, d
		}
	}
	return best
}

// DidYouMean asks whether a typo stands for the nearest known word. It returns otherwise when no known word is near.
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
