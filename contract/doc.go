// Package contract holds the error contract that gateways publish, and the judge.
//
// It is the specification as typed data: the 32 rows of both tables, the 37 circumstances under which a row's error
// is expected, the surfaces on which they make sense, and the statuses each row allows with the basis for it. [Judge] is a
// pure function from a case and an observation to what it shows about every requirement.
//
// The package imports the standard library and package dialect only, does no input or output, and keeps no state.
package contract
