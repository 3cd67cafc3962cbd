package workload_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/internal/distribution"
	"github.com/gatecert/gatecert/internal/tokencount"
	"github.com/gatecert/gatecert/internal/workload"
)

func counts(t *testing.T, text string) distribution.Distribution {
	t.Helper()
	d, err := distribution.ParseCount(text, workload.MaxTokens)
	require.NoError(t, err)
	return d
}

func TestTextHasAsManyTokensAsAskedFor(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	count := tokencount.New().Count
	for _, n := range []int{1, 10, 500} {
		text := workload.Text(random, n)
		assert.InDelta(t, n, count(" "+text), 0.02*float64(n), text)
	}
}

func TestPromptsFollowTheirShape(t *testing.T) {
	count := tokencount.New().Count
	shape := workload.Shape{Prompt: counts(t, "normal:100:10"), Output: counts(t, "uniform:5-9"), Seed: 7}
	prompts := shape.Prompts(300, count)
	require.Len(t, prompts, 300)
	sum, different := 0, map[string]bool{}
	for _, p := range prompts {
		sum += count(p.Last())
		different[p.Last()] = true
		assert.GreaterOrEqual(t, p.MaxTokens, 5)
		assert.LessOrEqual(t, p.MaxTokens, 9)
	}
	assert.InDelta(t, 100, float64(sum)/300, 3)
	assert.Len(t, different, 300)
	assert.Equal(t, prompts, shape.Prompts(300, count), "the same seed")
	shape.Seed = 8
	assert.NotEqual(t, prompts, shape.Prompts(300, count))

	assert.Nil(t, workload.Shape{}.Prompts(300, count), "nothing is asked for")
	long := workload.Shape{Prompt: counts(t, "200000")}.Prompts(300, count)
	assert.Less(t, len(long), 50, "long prompts are fewer")
	assert.GreaterOrEqual(t, len(long), 4)
}

func TestReadDataset(t *testing.T) {
	list, err := workload.ReadDataset(strings.NewReader(`
{"messages":[{"role":"system","content":"be brief"},{"role":"user","content":[{"type":"text","text":"hi"},{"type":"image_url"}]},{"role":"assistant","content":"hello"}]}
{"id":"x","conversations":[{"from":"human","value":"a"},{"from":"gpt","value":"b"},{"from":"human","value":"c"}]}
{"prompt":"p","response":"r"}
{"conversations":[{"from":"gpt","value":"nobody asked"}]}
{"messages":[{"role":"tool","content":"x"},{"role":"user","content":"q"},{"role":"assistant","content":null}]}
`))
	require.NoError(t, err)
	assert.Equal(t, []workload.Conversation{
		{Turns: []workload.Turn{{Role: "system", Text: "be brief"}, {Role: "user", Text: "hi"}}, Reply: "hello"},
		{Turns: []workload.Turn{{Role: "user", Text: "a"}, {Role: "assistant", Text: "b"}, {Role: "user", Text: "c"}}},
		{Turns: []workload.Turn{{Role: "user", Text: "p"}}, Reply: "r"},
		{Turns: []workload.Turn{{Role: "user", Text: "q"}}},
	}, list)
	p := workload.Shape{Conversations: list[:1]}.Prompts(1, func(string) int { return 33 })[0]
	assert.Equal(t, 33, p.MaxTokens, "as long as the reply that is known")
	assert.Equal(t, "hi", p.Last())
}

func TestReadDatasetOfAStranger(t *testing.T) {
	for sentence, row := range map[string]struct{ file, want string }{
		"nothing":         {"", "no line contains a user message"},
		"not JSON":        {"{}\nhello\n", "line 2: must be a JSON object with the field messages, conversations or prompt"},
		"a list":          {"[1]\n", "line 1: must be a JSON object with the field messages, conversations or prompt"},
		"a role alone":    {`{"messages":"all"}`, "line 1: must be a JSON object with the field messages, conversations or prompt"},
		"not UTF-8":       {"{\"prompt\":\"\xff\"}", "line 1: the text is not valid UTF-8"},
		"a huge line":     {`{"prompt":"` + strings.Repeat("x", 2<<20) + `"}`, "line 1 has more than 1048576 bytes"},
		"too many turns":  {`{"messages":[` + strings.Repeat(`{"role":"user","content":"a"},`, 300) + `{}]}`, "more than 200 turns"},
		"nested too deep": {`{"messages":[{"role":"user","content":` + strings.Repeat("[", 20_000) + "}]}", "must be a JSON object with the field messages, conversations or prompt"},
	} {
		t.Run(sentence, func(t *testing.T) {
			_, err := workload.ReadDataset(strings.NewReader(row.file))
			require.ErrorIs(t, err, workload.ErrDataset)
			assert.ErrorContains(t, err, row.want)
		})
	}
	many, err := workload.ReadDataset(strings.NewReader(strings.Repeat(`{"prompt":"a"}`+"\n", 30_000)))
	require.NoError(t, err)
	assert.Len(t, many, 20_000)
}

func TestSynthetic(t *testing.T) {
	a := workload.Synthetic("gatecert-1")
	assert.Equal(t, a, workload.Synthetic("gatecert-1"))
	assert.NotEqual(t, a, workload.Synthetic("gatecert-2"))
	require.Len(t, a, 200)
	for _, c := range a {
		assert.Equal(t, "user", c.Turns[len(c.Turns)-1].Role)
		assert.NotEmpty(t, c.Reply)
	}
}

func FuzzReadDataset(f *testing.F) {
	f.Add(`{"messages":[{"role":"user","content":"hi"}]}`)
	f.Fuzz(func(t *testing.T, file string) {
		list, err := workload.ReadDataset(strings.NewReader(file))
		for _, c := range list {
			require.NoError(t, err)
			require.Equal(t, "user", c.Turns[len(c.Turns)-1].Role)
		}
	})
}
