package load

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestDescriptorsThatWouldRunOut(t *testing.T) {
	assert.NoError(t, checkDescriptors(Phase{Connections: 900}, 1024))
	assert.NoError(t, checkDescriptors(Phase{Connections: 4096}, 0), "the limit is not known")
	err := checkDescriptors(Phase{Connections: 1000}, 1024)
	assert.ErrorIs(t, err, ErrInvalid)
	assert.EqualError(t, err, "invalid load configuration: 1000 connections need about 1064 file descriptors, but this process may open only 1024: "+
		"raise the limit with ulimit -n, or use at most 960 connections")
	assert.ErrorContains(t, checkDescriptors(Phase{Connections: 300, Embedded: true}, 1024), "use at most 240 connections")
	assert.ErrorIs(t, checkDescriptors(Phase{Connections: 1}, 10), ErrInvalid)
}
