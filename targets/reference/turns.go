package reference

import (
	"slices"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
)

// fails, warns and notes say what cases turn into, and which obligation they are found to break.
func fails(breaks contract.Requirement, cases ...contract.Pattern) Turn {
	return Turn{Cases: cases, Verdict: contract.Fail, Breaks: []contract.Requirement{breaks}}
}

func warns(breaks contract.Requirement, cases ...contract.Pattern) Turn {
	return Turn{Cases: cases, Verdict: contract.Warn, Breaks: []contract.Requirement{breaks}}
}

func notes(breaks contract.Requirement, cases ...contract.Pattern) Turn {
	return Turn{Cases: cases, Verdict: contract.Pass, Breaks: []contract.Requirement{breaks}}
}

// stays takes cases out of the turns after it.
func stays(cases ...contract.Pattern) Turn { return Turn{Cases: cases, Verdict: contract.Pass} }

// midStream are the cases in which the provider fails after its stream has begun. By then the status is sent.
func midStream() []contract.Pattern {
	return []contract.Pattern{
		"http:5xx/upstream-error/*/mid-stream",
		"code:channel:response_time_exceeded/*/*-stream/stalled-answer",
		"code:read_response_body_failed/*/*-stream/**",
	}
}

// some says that at least one of the cases turns.
func some(t Turn) Turn {
	t.Some = true
	return t
}

// onSurfaces are the cases of some rows, or circumstances within them, on some surfaces:
// "http:404/**" and "http:404/unknown-model/**" become "http:404/*/chat/**" and "http:404/unknown-model/chat/**".
func onSurfaces(surfaces []dialect.Surface, rows ...string) []contract.Pattern {
	var patterns []contract.Pattern
	for _, row := range rows {
		for _, s := range surfaces {
			patterns = append(patterns, contract.Pattern(row+"/"+string(s)+"/**"))
		}
	}
	return patterns
}

// The surfaces of the dialects, those that stream, and those that do not.
func openAI() []dialect.Surface    { return speakers(dialect.OpenAI) }
func anthropic() []dialect.Surface { return speakers(dialect.Anthropic) }
func gemini() []dialect.Surface    { return speakers(dialect.Gemini) }

func speakers(d dialect.Dialect) []dialect.Surface {
	return slices.DeleteFunc(dialect.Surfaces(), func(s dialect.Surface) bool { return s.Dialect() != d })
}

func plainSurfaces() []dialect.Surface {
	return slices.DeleteFunc(dialect.Surfaces(), dialect.Surface.Streaming)
}

func streamingSurfaces() []dialect.Surface {
	return slices.DeleteFunc(dialect.Surfaces(), func(s dialect.Surface) bool { return !s.Streaming() })
}
