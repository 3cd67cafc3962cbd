// Package zoo tries the verification and the inference of rate limits on limiters that other people wrote: libraries, scripts
// for Redis, nginx and HAProxy. It is a separate module, so that gatecert does not depend on any of them.
//
//	make zoo                              every limiter, declared correctly and in six wrong ways, and inferred
//	make zoo RUNS=20                      the same in twenty runs; all cores are busy in the last ten
//	make zoo RUNS=20 ZOO_CONTINUE=1       continues these runs after an interruption
//	make zoo ZOO_ONLY='nginx|redis_rate'  some of them
//
// Limiters that read the time through Go's package time run on a simulated clock, in [testing/synctest], with simulated network delays.
// The others, such as nginx and HAProxy, run on the real clock.
//
// The tests print a table: how often the verdict was right, unclear and wrong. Whether a verdict is wrong is decided from a log of the
// limiter's own decisions, by code that shares nothing with the package under test.
package zoo
