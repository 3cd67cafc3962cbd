//go:build !unix

package load

import "time"

// cpuTime is how long this process has computed; negative when it cannot be told.
func cpuTime() time.Duration { return -1 }
