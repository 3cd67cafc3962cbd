package main

import (
	"fmt"
	"os"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/internal/yamlfile"
)

type checkCommand struct {
	Files []string `arg:"" name:"file" help:"Profiles and baselines to check." type:"path"`
}

// Help implements kong's HelpProvider.
func (checkCommand) Help() string {
	return `Examples:
  gatecert check gateway.yaml known.yaml
  gatecert check ci/*.yaml

The command sends nothing. A file with expected_failures is a baseline; any other file is a profile. Every fault is printed
with its FILE:LINE:COLUMN. If there is a fault, the exit code is 2. Variables need not be set: gatecert uses placeholders for their values.`
}

func (f checkCommand) Run(c *console) error {
	faults := 0
	for _, file := range f.Files {
		err := checkFile(file)
		switch {
		case err == nil:
		case exitCode(err) == exitUsage:
			faults++
			fmt.Fprintln(c.err, err)
		default:
			return err
		}
	}
	if faults > 0 {
		return shownError{code: exitUsage, text: "invalid files"}
	}
	return nil
}

func checkFile(path string) error {
	data, err := yamlfile.Read(path)
	if info, statErr := os.Stat(path); statErr == nil && info.IsDir() {
		return fmt.Errorf("%w: %s is a folder: give the files in it, such as %s/*.yaml", errUsage, path, path)
	}
	if err != nil {
		return fmt.Errorf("%w: %w: give a file that exists and that you may read", errUsage, err)
	}
	if isBaseline(path, data) {
		_, err = gatecert.LoadBaseline(path)
		return err
	}
	_, err = profileWith(path, func(name string) (string, bool) {
		if value, set := os.LookupEnv(name); set && value != "" {
			return value, true
		}
		return "https://unset.example/" + name, true
	})
	return err
}

func isBaseline(path string, data []byte) bool {
	var head struct {
		Entries any `yaml:"expected_failures"`
	}
	document, err := yamlfile.Parse(path, data)
	return err == nil && document.DecodeKnown(&head) == nil && head.Entries != nil
}
