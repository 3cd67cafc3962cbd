// Package newapi certifies a running new-api, or one-api, from which the contract and many gateways come. Its driver
// prepares the deployment through the admin API: users and tokens, channels that lead to the upstream we play, prices, and
// the options that a circumstance needs. It takes everything down again.
//
// What it leaves alone is as important as what it does. Every object is named after the run. The users are in groups of
// their own, and so are the channels: nobody else's call reaches ours, and no call of ours reaches anybody else's.
// Options are changed only with consent, most of them just around the cases that need it, and put back to the letter.
// Before anything is made it is written to a journal, so that [Clean] can finish what a killed run began.
package newapi
