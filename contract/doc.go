// Package contract contains the error contract that gateways publish, and the judge.
//
// The contract is represented as typed data: the 32 rows of both tables, the 37 circumstances in which a row's error is expected, the surfaces to
// which they apply, and the statuses that each row allows, with the basis for each. [Judge] is a pure function of a case and an observation; it
// returns a result for every requirement.
//
// The package imports only the standard library and package dialect, performs no input or output, and keeps no state.
package contract
