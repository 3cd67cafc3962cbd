package reports

import "slices"

// Recorded is a language that says which texts it lacks.
func Recorded(l Language) (Language, func() []string) {
	var missing []string
	l.missing = func(s string) { missing = append(missing, s) }
	return l, func() []string {
		slices.Sort(missing)
		return slices.Compact(missing)
	}
}
