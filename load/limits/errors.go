package limits

import "errors"

var (
	// ErrDeclared is returned when a declared limit is not valid.
	ErrDeclared = errors.New("declared limit")
	// ErrBudget is returned when the calls or the time of a [Budget] are used up.
	ErrBudget = errors.New("budget used up")
	// ErrInconclusive is returned when the calls show too little of a limit: too many of them failed, none was admitted, or
	// the limit was never reached.
	ErrInconclusive = errors.New("inconclusive")
	// ErrGone is returned when the gateway went away: the last ten calls could not connect.
	ErrGone = errors.New("the gateway went away")
)
