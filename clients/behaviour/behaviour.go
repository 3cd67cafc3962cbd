// Package behaviour contains the recorded behaviour of client libraries on the reference gateway: a golden file for each library, with its version.
// make clients-record writes these files.
package behaviour

import (
	"embed"
	"fmt"

	"github.com/gatecert/gatecert/reports/clientlog"
)

//go:embed *.txt
var files embed.FS

// Recorded returns the behaviour of each client, by client name. It returns [clientlog.ErrLog] for a file that make clients-record did not write.
func Recorded() ([]clientlog.Behaviour, error) {
	entries, err := files.ReadDir(".")
	if err != nil {
		return nil, err
	}
	var list []clientlog.Behaviour
	for _, entry := range entries {
		file, err := files.Open(entry.Name())
		if err != nil {
			return nil, err
		}
		b, err := clientlog.ReadBehaviour(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", entry.Name(), err)
		}
		list = append(list, b)
	}
	return list, nil
}
