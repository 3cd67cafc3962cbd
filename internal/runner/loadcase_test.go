package runner

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestWhatStaysOnThisMachine(t *testing.T) {
	for url, want := range map[string]bool{
		"http://127.0.0.1:1": true, "http://localhost": true, "http://[::1]:8080/x": true,
		"http://10.0.0.1": false, "https://gateway.example": false, "http://127.0.0.1.example": false, "://": false,
	} {
		assert.Equal(t, want, OnThisMachine(url), url)
	}
}
