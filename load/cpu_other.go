//go:build !unix

package load

import "time"

// cpuTime returns the CPU time of this process, negative when it is unknown.
func cpuTime() time.Duration { return -1 }
