// Package newapi certifies a running new-api, or the one-api that it grew out of. Its driver prepares the deployment through
// the admin API: users and tokens, channels that lead to the mock upstream, prices, and the options that some circumstances
// need. At the end it removes or restores all of it.
//
// What the driver leaves alone matters as much. The name of every object has the run's tag. Users and channels are in groups
// of their own: no other caller's request reaches these channels, and no request of the run reaches another channel. Options
// are changed only with consent, most of them only while the cases that need them run, and restored exactly.
// Every change is written to a journal before it is made, so that [Driver.Clean] can undo what a killed run left behind.
package newapi
