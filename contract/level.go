package contract

import "slices"

// Level is a certification level. It also states what a circumstance needs from a target. Each level includes the levels below it.
type Level string

// The certification levels, lowest first.
const (
	Edge    Level = "edge"    // a URL and a key
	Relay   Level = "relay"   // and one model that the gateway routes to the mock upstream
	Account Level = "account" // and prepared keys, models and channels
	Store   Level = "store"   // and a gateway database that gatecert may break
	Full    Level = "full"    // and the load cases: everything
)

// Levels returns the levels, lowest first.
func Levels() []Level { return []Level{Edge, Relay, Account, Store, Full} }

// LevelOf returns the level with the given name. "load" is another name for [Full], because Full adds the load cases.
func LevelOf(name string) Level {
	if name == "load" {
		return Full
	}
	return Level(name)
}

// Needs describes what a profile must contain for the level, in addition to what the lower levels need. It returns "" for [Edge], which needs only a
// URL, a key and a model.
func (l Level) Needs() string {
	switch l {
	case Relay:
		return "upstream.listen and a model that the gateway routes to that address"
	case Account:
		return "revoked, restricted, denied and spent keys, and recipes for models and channels"
	case Store:
		return "recipes that break the gateway's database and repair it"
	case Full:
		return "limits.rate and limits.timeout"
	default:
		return ""
	}
}

// Valid reports whether the level is one of the five.
func (l Level) Valid() bool { return slices.Contains(Levels(), l) }

// Includes reports whether a certification at level l covers cases that need the level need.
func (l Level) Includes(need Level) bool {
	return slices.Index(Levels(), need) <= slices.Index(Levels(), l)
}
