package exchange

import (
	"encoding/json"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func mustURL(t testing.TB, raw string) *url.URL {
	t.Helper()
	parsed, err := url.Parse(raw)
	require.NoError(t, err)
	return parsed
}

func TestEdits(t *testing.T) {
	const body = `{"messages":[{"content":"hi"},{"content":"ho"}],"n":1}`
	for sentence, row := range map[string]struct {
		edit Edit
		want string // the body afterwards, or the error
	}{
		"a member is replaced":               {Edit{Path: "n", Value: -1}, `{"messages":[{"content":"hi"},{"content":"ho"}],"n":-1}`},
		"a member is added":                  {Edit{Path: "x", Value: nil}, `{"messages":[{"content":"hi"},{"content":"ho"}],"n":1,"x":null}`},
		"a member is deleted":                {Edit{Path: "messages", Delete: true}, `{"n":1}`},
		"an element's member is replaced":    {Edit{Path: "messages[1].content", Value: []int{1}}, `{"messages":[{"content":"hi"},{"content":[1]}],"n":1}`},
		"an element is deleted":              {Edit{Path: "messages[0]", Delete: true}, `{"messages":[{"content":"ho"}],"n":1}`},
		"an element is appended":             {Edit{Path: "messages[2].content", Value: "!"}, `{"messages":[{"content":"hi"},{"content":"ho"},{"content":"!"}],"n":1}`},
		"objects on the way are made":        {Edit{Path: "a.b.c", Value: 1}, `{"a":{"b":{"c":1}},"messages":[{"content":"hi"},{"content":"ho"}],"n":1}`},
		"numbers keep their spelling":        {Edit{Path: "n", Value: json.RawMessage("1e400")}, `{"messages":[{"content":"hi"},{"content":"ho"}],"n":1e400}`},
		"an empty path leads nowhere":        {Edit{Path: ""}, `invalid edit: path "" does not have the form a.b[0].c`},
		"a path cannot begin with an index":  {Edit{Path: "[0]"}, `invalid edit: path "[0]" does not have the form a.b[0].c`},
		"a path cannot end in a dot":         {Edit{Path: "a."}, `invalid edit: path "a." does not have the form a.b[0].c`},
		"an index is a number":               {Edit{Path: "messages[x]"}, `invalid edit: path "messages[x]" does not have the form a.b[0].c`},
		"an index ends with the array":       {Edit{Path: "messages[3]", Value: 1}, `invalid edit: path "messages[3]": [3] is out of range: the array has 2 elements`},
		"an element not there stays":         {Edit{Path: "messages[2]", Delete: true}, `invalid edit: path "messages[2]": [2] is out of range: the array has 2 elements`},
		"a number has no members":            {Edit{Path: "n.x", Value: 1}, `invalid edit: path "n.x": the parent of "x" is not an object`},
		"an object has no elements":          {Edit{Path: "messages[0][0]", Value: 1}, `invalid edit: path "messages[0][0]": the parent of [0] is not an array`},
		"a member not there stays":           {Edit{Path: "messages[0].x", Delete: true}, `invalid edit: path "messages[0].x": there is no "x" to delete`},
		"a value has to be JSON":             {Edit{Path: "n", Value: func() {}}, `invalid edit: value for "n": json: unsupported type: func()`},
		"deleting does not make the objects": {Edit{Path: "a.b", Delete: true}, `invalid edit: path "a.b": there is no "a" to delete`},
	} {
		t.Run(sentence, func(t *testing.T) {
			var tree any
			require.NoError(t, json.Unmarshal([]byte(body), &tree))
			edited, err := row.edit.apply(tree)
			if err != nil {
				require.ErrorIs(t, err, ErrEdit)
				assert.Equal(t, row.want, err.Error())
				return
			}
			got, err := json.Marshal(edited)
			require.NoError(t, err)
			assert.Equal(t, row.want, string(got))
		})
	}
}

func TestEditsShareNothingWithTheCaller(t *testing.T) {
	value := map[string]any{"a": 1}
	var tree any = map[string]any{}
	for _, edit := range []Edit{{Path: "x", Value: value}, {Path: "x.a", Value: 2}} {
		var err error
		tree, err = edit.apply(tree)
		require.NoError(t, err)
	}
	assert.Equal(t, map[string]any{"a": 1}, value)
}
