package student_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/gatecert/gatecert/internal/student"
)

// The values are those of printed tables.
func TestT975(t *testing.T) {
	for freedom, want := range map[float64]float64{4: 2.776, 9: 2.262, 19: 2.093, 59: 2.001, 1e9: 1.960} {
		assert.InEpsilon(t, want, student.T975(freedom), 0.01, "%g degrees of freedom", freedom)
	}
	assert.InDelta(t, student.T975(2), student.T975(1), 0, "below two it is that of two")
}

func TestT(t *testing.T) {
	for freedom, want := range map[float64]float64{4: 4.604, 9: 3.250, 19: 2.861, 59: 2.662, 1e9: 2.576} {
		assert.InEpsilon(t, want, student.T(2.575829, freedom), 0.02, "%g degrees of freedom", freedom)
	}
}
