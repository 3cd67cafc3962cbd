package main

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/reports/clientlog"
)

var updateClients = flag.Bool("update-clients", false, "write the tables of docs/clients.md anew")

// TestClientsPage holds the tables of docs/clients.md to the record of clients.
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
	if *updateClients {
		require.NoError(t, os.WriteFile(page, []byte(before+begin+"\n"+tables.String()+"\n"+end+after), 0o600))
		return
	}
	assert.Equal(t, "\n"+tables.String()+"\n", got, "make clients-record writes it")
	assert.NotEmpty(t, log.Calls)
	for _, c := range log.Clients {
		assert.Empty(t, c.Fault, c.Name)
		assert.NotEmpty(t, c.Version, c.Name)
	}
}
