package contract

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
)

// MaxUpstreamError is the maximum length, in bytes, of a recorded upstream error.
const MaxUpstreamError = 1 << 10

// judgePassedOn notes that an error answer is the upstream's response, passed on. It counts as the caller sees it; but a gateway
// that passes because its upstream kept the contract has not shown anything of itself.
func (j *judge) judgePassedOn() {
	if j.o.Upstream == nil || j.o.Status == 0 {
		return
	}
	problem := func(a Attempt) bool { return len(a.Error) > 0 }
	if !slices.ContainsFunc(j.o.Upstream.Attempts, problem) {
		return
	}
	answer := j.o.Body
	if j.o.Stream != nil {
		r := readStream(j.c.Surface, *j.o.Stream)
		if r.failed == nil {
			return
		}
		answer = r.failed.Data
	}
	j.check(PassedOn)
	if slices.ContainsFunc(j.o.Upstream.Attempts, func(a Attempt) bool { return problem(a) && passedOn([]byte(a.Error), answer) }) {
		j.add(PassedOn, Note, "the gateway's own error response", "the upstream's response, passed on")
	}
}

// passedOn reports whether an answer is what the upstream sent: the same bytes, or an error object with the same members.
// The message may have something before and after it, and members may be added: gateways add the upstream's name and a
// request id.
func passedOn(problem, answer []byte) bool {
	if bytes.Equal(bytes.TrimSpace(problem), bytes.TrimSpace(answer)) {
		return true
	}
	theirs, ours := errorMembers(problem), errorMembers(answer)
	if theirs == nil || ours == nil {
		return false
	}
	message, _ := theirs["message"].(string)
	shown, _ := ours["message"].(string)
	if message == "" || !strings.Contains(shown, message) {
		return false
	}
	for name, value := range theirs {
		if name != "message" && !reflect.DeepEqual(value, ours[name]) {
			return false
		}
	}
	return true
}

// errorMembers are the members of the error object in a body, nil for none.
func errorMembers(body []byte) map[string]any {
	var outer struct {
		Error map[string]any `json:"error"`
	}
	if json.Unmarshal(body, &outer) != nil {
		return nil
	}
	return outer.Error
}
