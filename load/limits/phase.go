package limits

// phase is a part of a verification. What is found in it belongs to a requirement of its own.
type phase string

const (
	phaseInitialBurst phase = "initial burst" // bursts until a call is refused, whatever the key was used for before
	phaseRecovery     phase = "recovery"      // single calls until one is admitted again
	phaseSequential   phase = "sequential"    // one call at a time, on an idle limiter, until one is refused
	phaseStreaming    phase = "streaming"     // streaming calls, while the limit is used up
	phaseOverLimit    phase = "over limit"    // further calls, while the limit is used up
	phaseBurst        phase = "burst"         // calls at once, on an idle limiter
)
