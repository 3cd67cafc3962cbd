package measured_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/reports/measured"
	"github.com/gatecert/gatecert/reports/runlog"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestRenderers(t *testing.T) {
	formats := append(measured.Formats(), measured.Format{Name: "terminal", File: "txt", Render: measured.Terminal})
	for name, run := range runs() {
		run = logged(t, run)
		for _, f := range formats {
			t.Run(name+" "+f.Name, func(t *testing.T) {
				var out bytes.Buffer
				err := f.Render(&out, run)
				if errors.Is(err, measured.ErrNone) {
					assert.Zero(t, out.Len())
					return
				}
				require.NoError(t, err)
				forbidden := []string{"\x1b", "\u202e"}
				switch f.Name {
				case "json":
					forbidden = forbidden[:1] // JSON needs no other escapes
				case "html":
					forbidden = append(forbidden, "<script>document")
				case "md":
					forbidden = append(forbidden, "<script>document", "|](java")
				}
				for _, text := range forbidden {
					require.False(t, strings.Contains(out.String(), text), "%q in %s", text, f.Name)
				}
				golden := filepath.Join("testdata", name+"."+f.File)
				if *update {
					require.NoError(t, os.WriteFile(golden, out.Bytes(), 0o600))
				}
				want, err := os.ReadFile(golden)
				require.NoError(t, err)
				assert.Equal(t, string(want), out.String(), "go test ./reports/measured -update shows what changed")
			})
		}
	}
}

func TestRenderersFailWithTheirWriter(t *testing.T) {
	for _, f := range append(measured.Formats(), measured.Format{Name: "terminal", Render: measured.Terminal}) {
		assert.ErrorIs(t, f.Render(failing{}, capacityRun()), io.ErrClosedPipe, f.Name)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// The schemas hold what is written, also of a log that a stranger wrote.
func TestSchemas(t *testing.T) {
	for name, run := range runs() {
		var report bytes.Buffer
		require.NoError(t, measured.JSON(&report, logged(t, run)))
		if !strings.Contains(name, "hostile") {
			validate(t, "load-report.schema.json", report.Bytes())
		}
		var log bytes.Buffer
		require.NoError(t, runlog.NewMeasuredWriter(&log).Measured(run))
		for line := range strings.Lines(log.String()) {
			if !strings.Contains(name, "hostile") {
				validate(t, "load-run.schema.json", []byte(line))
			}
		}
	}
}

func validate(t *testing.T, schema string, document []byte) {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	compiled, err := compiler.Compile(filepath.Join("..", "..", "docs", "schema", schema))
	require.NoError(t, err)
	var value any
	require.NoError(t, json.Unmarshal(document, &value))
	require.NoError(t, compiled.Validate(value), "%s", document)
}
