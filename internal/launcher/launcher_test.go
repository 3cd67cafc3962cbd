package launcher_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/internal/launcher"
)

var update = flag.Bool("update", false, "write the golden files")

func options() launcher.Options {
	return launcher.Options{
		Fleet: "load", Workers: 20, Image: "registry.example/gatecert:1.0", NATSImage: "nats:2.12-alpine", Namespace: "tests", Join: "tls://nats.example:4222",
		Targets: []string{"https://gateway.example/base", "http://10.0.0.7:3000"},
	}
}

func TestWrite(t *testing.T) {
	for _, l := range []launcher.Launcher{launcher.Kubernetes, launcher.Compose, launcher.Systemd} {
		t.Run(string(l), func(t *testing.T) {
			var out bytes.Buffer
			require.NoError(t, launcher.Write(&out, l, options()))
			path := filepath.Join("testdata", string(l))
			if *update {
				require.NoError(t, os.WriteFile(path, out.Bytes(), 0o600))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err, "go test ./internal/launcher -update writes it")
			assert.Equal(t, string(want), out.String())
			if l != launcher.Systemd {
				for document := range bytes.SplitSeq(out.Bytes(), []byte("\n---\n")) {
					var object map[string]any
					require.NoError(t, yaml.Unmarshal(document, &object))
					assert.NotEmpty(t, object)
				}
			}
		})
	}
}

func TestOptionsThatBreakOut(t *testing.T) {
	for name, change := range map[string]func(*launcher.Options){
		"a fleet with a line":       func(o *launcher.Options) { o.Fleet = "a\nb" },
		"no workers":                func(o *launcher.Options) { o.Workers = 0 },
		"a namespace of words":      func(o *launcher.Options) { o.Namespace = "a b" },
		"an image of commands":      func(o *launcher.Options) { o.Image = "x; rm" },
		"no target":                 func(o *launcher.Options) { o.Targets = nil },
		"a target with quotes":      func(o *launcher.Options) { o.Targets = []string{"http://x/'; rm -rf ~; '"} },
		"a target with a key":       func(o *launcher.Options) { o.Targets = []string{"http://me:key@x"} },
		"a server without a scheme": func(o *launcher.Options) { o.Join = "nats" },
	} {
		t.Run(name, func(t *testing.T) {
			o := options()
			change(&o)
			require.ErrorIs(t, launcher.Write(&bytes.Buffer{}, launcher.Kubernetes, o), launcher.ErrOptions)
		})
	}
}
