//go:build !unix

package load

func descriptorLimit() uint64 { return 0 }
