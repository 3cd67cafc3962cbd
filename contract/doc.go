// Package contract holds the error contract that gateways publish, and the judge.
//
// It is the specification as typed data: the 32 rows of both tables, the 37 circumstances that make a row's error
// due, the surfaces on which they make sense, and the statuses each row allows with the basis for it. [Judge] is a
// pure function from a case and an observation to every obligation that did not hold.
//
// The package imports nothing of the project, does no input or output, and keeps no state.
package contract
