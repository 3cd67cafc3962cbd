package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/gatecert/gatecert/reports/runlog"
)

// readLog reads a run, given its folder or its log, with what is next to it about clients.
func readLog(path string) (runlog.Run, error) {
	run, err := readFrom(path, runlog.Read)
	if err != nil {
		return run, err
	}
	log, err := logPath(path)
	if err != nil {
		return run, err
	}
	return withClients(run, filepath.Dir(log))
}

// readFrom reads what a log holds, given the log or its folder. It returns [errUsage] when there is no log.
func readFrom[T any](path string, read func(io.Reader) (T, error)) (log T, err error) {
	path, err = logPath(path)
	if err != nil {
		return log, err
	}
	file, err := os.Open(path) //nolint:gosec // the path is the user's own argument
	if err != nil {
		return log, fmt.Errorf("%w: %w", errUsage, err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if log, err = read(file); err != nil {
		return log, logFault(path, err)
	}
	return log, nil
}

// logPath is the path of the log, given the log or its folder. It returns [errUsage] when neither is there.
func logPath(path string) (string, error) {
	const do = "specify the folder of a run, or its " + logName
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "", fmt.Errorf("%w: the file or folder %s does not exist: %s%s", errUsage, path, do, madeBy(path))
	case err != nil || !info.IsDir():
		return path, nil
	}
	file := filepath.Join(path, logName)
	if !gone(file) {
		return file, nil
	}
	for _, newest := range []string{filepath.Join(path, string(latestRun)), filepath.Join(path, reportsFolder, string(latestRun))} {
		if !gone(filepath.Join(newest, logName)) {
			return "", fmt.Errorf("%w: the folder %s contains no run (%s is missing): did you mean %s?", errUsage, path, logName, newest)
		}
	}
	return "", fmt.Errorf("%w: the folder %s contains no run (%s is missing): %s", errUsage, path, logName, do)
}

// madeBy says what makes the link to the newest run, where that is what is missing.
func madeBy(path string) string {
	if sameName(path, filepath.Join(reportsFolder, string(latestRun))) || filepath.Base(path) == string(latestRun) {
		return "; gatecert run creates this link"
	}
	return ""
}

// logFault is the error of a file that was read as a log.
func logFault(path string, err error) error {
	if errors.Is(err, runlog.ErrNoHeader) {
		return fmt.Errorf("%s is not the log of a run: %w: specify the folder of a run, or its %s", path, err, logName)
	}
	return fmt.Errorf("%s: %w", path, err)
}
