package gatecert

import (
	"github.com/gatecert/gatecert/internal/yamlfile"
	"github.com/gatecert/gatecert/reports/baseline"
)

// LoadBaseline reads the expected failures of a gateway for [Config].Baseline: a YAML file of entries (docs/ci.md), or
// the folder, run.ndjson or verdicts.txt of an earlier run.
//
// It returns [baseline.ErrBaseline] for a file that is none of these or makes no sense, and the error of the file system
// when the file cannot be read.
func LoadBaseline(path string) (baseline.Baseline, error) {
	return baseline.Load(path, func(file string, data []byte) (baseline.Document, error) { return yamlfile.Parse(file, data) })
}
