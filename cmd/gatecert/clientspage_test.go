package main

import (
	"bytes"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/reports/clientlog"
)

var updateClients = flag.Bool("update-clients", false, "write the tables of docs/clients.md anew")

// goldenClients is the folder of the golden files of clients.
const goldenClients = "../../clients/behaviour/"

// TestClientsPage holds the tables of docs/clients.md, and the golden files of clients, to the record of clients.
func TestClientsPage(t *testing.T) {
	const page, begin, end = "../../docs/clients.md", "<!-- clients: begin -->\n", "<!-- clients: end -->\n"
	file, err := os.Open("../../clients/recorded.json")
	require.NoError(t, err)
	defer file.Close()
	log, err := clientlog.ReadJSON(file)
	require.NoError(t, err)
	var tables bytes.Buffer
	require.NoError(t, clientlog.WriteMarkdown(&tables, log, describeProbe))

	raw, err := os.ReadFile(page)
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(raw), begin)
	require.True(t, ok)
	got, after, ok := strings.Cut(rest, end)
	require.True(t, ok)
	golden := map[string]string{}
	for _, b := range clientlog.Behaviours(log) {
		var text bytes.Buffer
		require.NoError(t, b.Write(&text))
		golden[goldenClients+b.Client+".txt"] = text.String()
	}
	files, err := filepath.Glob(goldenClients + "*.txt")
	require.NoError(t, err)
	if *updateClients {
		for _, file := range files {
			require.NoError(t, os.Remove(file))
		}
		for file, text := range golden {
			require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		}
		require.NoError(t, os.WriteFile(page, []byte(before+begin+"\n"+tables.String()+"\n"+end+after), 0o600))
		return
	}
	assert.Equal(t, "\n"+tables.String()+"\n", got, "make clients-record writes it")
	assert.ElementsMatch(t, slices.Collect(maps.Keys(golden)), files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Equal(t, golden[file], string(text), file)
	}
	assert.NotEmpty(t, log.Calls)
	for _, c := range log.Clients {
		assert.Empty(t, c.Fault, c.Name)
		assert.NotEmpty(t, c.Version, c.Name)
	}
}
