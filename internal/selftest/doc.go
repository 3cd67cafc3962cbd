// Package selftest shows what the harness catches: it runs the contract against every mutant of the reference gateway, in
// which the cases that the mutant names must change and all others must pass, and against every permitted behaviour, under
// which every case must pass.
package selftest
