package profile

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTheProfilesVersionComesFirst(t *testing.T) {
	for _, tt := range []struct{ profile, said, want string }{
		{"", "", ""},
		{"", "v0.9", "v0.9"},
		{"2.4.1", "", "2.4.1"},
		{"v0.9", "v0.9", "v0.9"},
		{"2.4.1", "v0.9", "2.4.1 (the gateway reports v0.9)"},
	} {
		assert.Equal(t, tt.want, Profile{Version: tt.profile}.VersionWith(tt.said))
	}
}
