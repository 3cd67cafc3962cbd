package secondgateway

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
)

// Failure is the reason why a call did not succeed, before it is encoded as an error of an API format.
type Failure struct {
	Status int
	// Code is a code of table 2, or "" if there is none.
	Code    string
	Message string
	// Param is the invalid parameter, or "" if there is none.
	Param string
	// RetryAfter and Allow are the values of these header fields, or "" if the field is not sent.
	RetryAfter, Allow string
}

func fail(status int, code, message string) *Failure {
	return &Failure{Status: status, Code: code, Message: message}
}

func seconds(wait time.Duration) string { return strconv.Itoa(int(math.Ceil(wait.Seconds()))) }

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// answer is the failure as an answer that is not a stream.
func (f *Failure) answer(format string) *Answer {
	a := &Answer{Status: f.Status, Body: escaped(f.object(format, true)), Gzip: format == gemini}
	a.Add("server", "othergateway/7")
	a.Add("content-type", map[string]string{
		openAI: "application/json", anthropic: `application/json;charset="UTF-8"`, gemini: "Application/JSON; charset=utf-8",
	}[format])
	if f.Status == 401 {
		a.Add("www-authenticate", `Bearer realm="othergateway"`)
	}
	if f.RetryAfter != "" {
		a.Add("RETRY-AFTER", f.RetryAfter)
	}
	if f.Allow != "" {
		a.Add("Allow", f.Allow)
	}
	a.Add("Link", `<`+documentation+f.Code+`>; rel="help"`)
	a.Add("x_notice.1", "gr\xfc\xdfe")
	a.Add("x-empty", "")
	a.Add("Set-Cookie", "lane=blue; Path=/")
	a.Add("Set-Cookie", "seen=1; Path=/")
	a.Add("x-request-id", "og-"+strconv.FormatInt(time.Now().UnixNano(), 36))
	return a
}

// event is the failure as the last event of a stream.
func (f *Failure) event(format string) Event {
	e := Event{Data: f.object(format, false)}
	if format == anthropic {
		e.Name = "error"
	}
	return e
}

const documentation = "https://docs.othergateway.cc:8443/errors#"

// help is what people need who meet an error for the first time. It comes with errors that are not events.
type help struct {
	Documentation string   `json:"documentation,omitempty"`
	Help          []string `json:"help,omitempty"`
}

func (f *Failure) help(long bool) help {
	if !long {
		return help{}
	}
	return help{documentation + f.Code, f.manual()}
}

// object is the error object of an API format; a long one has the manual in it.
func (f *Failure) object(format string, long bool) []byte {
	var object any
	switch format {
	case anthropic:
		type details struct {
			ErrorCode string `json:"error_code,omitempty"`
			Retry     bool   `json:"retry"`
			help
		}
		type inner struct {
			Message string  `json:"message"`
			Details details `json:"details"`
			Type    string  `json:"type"`
		}
		object = struct {
			Error     inner  `json:"error"`
			RequestID string `json:"request_id"`
			Type      string `json:"type"`
		}{inner{f.Message, details{f.Code, f.Status >= 500, f.help(long)}, f.anthropicType()}, "og-1", "error"}
	case gemini:
		type inner struct {
			Status  string `json:"status"`
			Message string `json:"message"`
			Details []any  `json:"details"`
			Code    int    `json:"code"`
		}
		status := f.Code
		if status == "" {
			status = "RESOURCE_EXHAUSTED"
		}
		object = struct {
			Error inner `json:"error"`
		}{inner{status, f.Message, []any{map[string]string{"@type": "type.googleapis.com/google.rpc.Help"}, f.help(long)}, f.Status}}
	default:
		type inner struct {
			Code    *string `json:"code"`
			Type    *string `json:"type"`
			Param   *string `json:"param"`
			Message string  `json:"message"`
			help
		}
		object = struct {
			Error inner `json:"error"`
		}{inner{orNull(f.Code), orNull(f.openAIType()), orNull(f.Param), f.Message, f.help(long)}}
		if long {
			object = struct {
				OK    bool  `json:"ok"`
				At    int64 `json:"at"`
				Error any   `json:"error"`
			}{false, time.Now().Unix(), object.(struct {
				Error inner `json:"error"`
			}).Error}
		}
	}
	raw, _ := json.Marshal(object)
	return raw
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// openAIType is null for what the caller has not done.
func (f *Failure) openAIType() string {
	switch {
	case f.Status == 429:
		return "requests"
	case f.Status < 500:
		return "invalid_request_error"
	default:
		return ""
	}
}

func (f *Failure) anthropicType() string {
	known := map[int]string{
		401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error",
		504: "timeout_error", 529: "overloaded_error",
	}[f.Status]
	switch {
	case known != "":
		return known
	case f.Status >= 500:
		return "api_error"
	default:
		return "invalid_request_error"
	}
}

// escaped is JSON with nothing but ASCII, and with every slash escaped, as some libraries write it.
func escaped(raw []byte) []byte {
	var out strings.Builder
	for _, r := range string(raw) {
		switch {
		case r == '/':
			out.WriteString(`\/`)
		case r > 0xffff:
			r -= 0x10000
			out.WriteString(`\u` + hex4(0xd800+r>>10) + `\u` + hex4(0xdc00+r&0x3ff))
		case r > 0x7e:
			out.WriteString(`\u` + hex4(r))
		default:
			out.WriteRune(r)
		}
	}
	return []byte(out.String())
}

func hex4(r rune) string {
	text := strconv.FormatInt(int64(r), 16)
	return strings.Repeat("0", 4-len(text)) + text
}

// manual is ordinary prose. With the most common failures comes all of it, 30 KB, with the others one chapter.
func (f *Failure) manual() []string {
	chapters := 1
	if f.Code == "invalid_request" || f.Code == "bad_response" {
		chapters = 24
	}
	var all []string
	for chapter := range chapters {
		all = append(all, strings.ReplaceAll(chapterText, "N", strconv.Itoa(chapter+1)))
	}
	return all
}

//nolint:gosmopolitan // other scripts are the point
const chapterText = `Chapter N. Select a model from the list, insert it into the member "model", and update your plan to set a budget. ` +
	`Delete from your request whatever the model cannot read. A key in the column "state" may be withdrawn at any time; the table of plans ` +
	`tells where it reaches. **Too many requests** (HTTP) means: wait. If the function "get_weather" does not exist among your tools, say so. ` +
	`The server was restarted at 10:30 (UTC); a connection that was refused then is accepted now. File "request body", line N: the value ` +
	`is not a number near "}": syntax error. See https://docs.othergateway.cc:8443/chapter-N for “typographic” quotes, naïve façades, 日本語 and 🙂. ` +
	`Keys look like sk-…abcd here. Call POST /v1/chat/completions with {"model": "name", "messages": []} (version 7.N.0, build 2026-11-29T02:41:37Z). ` +
	`Your own network may deny access for users behind a proxy; ask its administrator. Retry in 1 s, then in 2 s, then in 4 s. ` +
	`The requests of one account share a limit; streaming does not change that. Prices are per token, and a failed request is free. ` +
	`Don't panic: nothing is lost. A deadline, a stack of requests or a trace id helps support to find the call in the logs (section N). ` +
	`Errors that begin with “channel” are on our side. They pass without your help, and trying again in a minute is right.`
