package clientlog

import (
	"bytes"
	"os"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheJSONKeepsToItsSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../../docs/schema/clients.schema.json")
	require.NoError(t, err)
	for _, path := range []string{"testdata/log.json", "../../clients/recorded.json", "../../clients/recorded-slow.json", "../../clients/recorded-newer.json"} {
		raw, err := os.ReadFile(path)
		require.NoError(t, err)
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		require.NoError(t, err)
		assert.NoError(t, schema.Validate(document), path)
	}
}
