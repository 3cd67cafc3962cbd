// Package zoo tries the verification and the inference of rate limits on limiters that other people wrote: libraries, scripts
// for Redis, nginx and HAProxy. It is a module of its own, so that gatecert does not depend on any of them.
//
//	make zoo                              every limiter, declared rightly and wrongly in seven ways, and inferred
//	make zoo RUNS=20                      the same in twenty runs; in the last ten all cores are busy
//	make zoo RUNS=20 ZOO_CONTINUE=1       what is missing of it, after it was ended
//	make zoo ZOO_ONLY='nginx|redis_rate'  some of them
//
// Limiters that ask for the time as Go programs do run on a simulated clock, in [testing/synctest], with simulated delays on the way
// to them. The others, nginx and HAProxy among them, run on the real one.
//
// The tests print a table: how often the verdict was right, unclear and wrong. What counts as wrong is decided from a log of the
// limiter's own decisions, by code that shares nothing with the package that it tests.
package zoo
