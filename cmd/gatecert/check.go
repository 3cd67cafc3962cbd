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

gatecert check sends no requests. If a file contains expected_failures, gatecert checks it as a baseline; otherwise, it checks the file
as a profile. It prints every error with its position (FILE:LINE:COLUMN). If a file contains an error, the exit code is 2. The
environment variables in a profile need not be set: for each variable that is not set, the check uses a placeholder value.`
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
		return fmt.Errorf("%w: %s is a folder: specify the files in it, such as %s/*.yaml", errUsage, path, path)
	}
	if err != nil {
		return fmt.Errorf("%w: %w: specify an existing file that you can read", errUsage, err)
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
