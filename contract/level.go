package contract

import "slices"

// Level is a certification level, and what a circumstance needs of a target. Each level includes those before it.
type Level string

// The certification levels, lowest first.
const (
	Edge    Level = "edge"    // a URL and a key
	Relay   Level = "relay"   // and one model routed to our upstream
	Account Level = "account" // and prepared keys, models and channels
	Store   Level = "store"   // and faults of the gateway's store
	Full    Level = "full"    // and load cases: everything
)

// Levels returns the levels, lowest first.
func Levels() []Level { return []Level{Edge, Relay, Account, Store, Full} }

// LevelOf returns the level of that name. "load" is another name of [Full]: the load cases are what it adds.
func LevelOf(name string) Level {
	if name == "load" {
		return Full
	}
	return Level(name)
}

// Needs says what a profile has to have for the level, in addition to what the levels below need. It is "" for [Edge], for which
// a URL, a key and a model are enough.
func (l Level) Needs() string {
	switch l {
	case Relay:
		return "upstream.listen and a model that the gateway routes to that address"
	case Account:
		return "additional keys, models and channels"
	case Store:
		return "recipes that break the gateway's store"
	case Full:
		return "limits.rate and limits.timeout"
	default:
		return ""
	}
}

// Valid reports whether the level is one of the five.
func (l Level) Valid() bool { return slices.Contains(Levels(), l) }

// Includes reports whether a certification at level l covers what needs level need.
func (l Level) Includes(need Level) bool {
	return slices.Index(Levels(), need) <= slices.Index(Levels(), l)
}
