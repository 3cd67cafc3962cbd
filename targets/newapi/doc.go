// Package newapi certifies a running new-api, or one-api, from which new-api was derived. Its driver prepares the deployment through the admin API:
// it creates users, tokens, prices, and channels to the mock upstream, and sets the options that some circumstances need. At the end, the driver
// removes or restores all of these.
//
// The driver avoids affecting anything else. The name of every object that it creates contains the run's tag. Users and channels are in separate
// groups, so no other caller's request reaches these channels, and no request of the run reaches another channel. Options are changed only with
// consent, most of them only while the cases that need them run, and are restored exactly. Every change is written to a journal before it is made, so
// that [Driver.Clean] can undo the changes of a killed run.
package newapi
