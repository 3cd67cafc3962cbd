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
	Load    Level = "load"    // and load cases
	Full    Level = "full"    // everything
)

// Levels returns the levels, lowest first.
func Levels() []Level { return []Level{Edge, Relay, Account, Store, Load, Full} }

// Valid reports whether the level is one of the six.
func (l Level) Valid() bool { return slices.Contains(Levels(), l) }

// Includes reports whether a certification at level l covers what needs level need.
func (l Level) Includes(need Level) bool {
	return slices.Index(Levels(), need) <= slices.Index(Levels(), l)
}
