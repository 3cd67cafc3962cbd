package reference

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gatecert/gatecert/dialect"
)

// route is what a method and a path ask for.
type route struct {
	// surface gives every answer its API format, also that for an unknown path.
	surface dialect.Surface
	// model is the one that the path names, else "".
	model string
	// methods are those that the path allows; none when there is no such path.
	methods  []string
	handlers []namedHandler
}

// route finds what a request asks for: for an unknown path, the API format to refuse it in.
func (g *Gateway) route(r *http.Request) route {
	path := r.URL.EscapedPath()
	found := route{surface: surfaceOfPrefix(r)}
	post, get := []string{http.MethodPost}, []string{http.MethodGet, http.MethodHead}
	switch path {
	case "/v1/models":
		found.methods, found.handlers = get, g.listing
		found.surface = dialect.Models
	case "/v1/dashboard/balance":
		found.methods, found.handlers = get, g.balance
	case "/healthz":
		found.methods, found.handlers = get, g.health
	default:
		if surface, model, ok := surfaceOf(path); ok {
			found.surface, found.model, found.methods, found.handlers = surface, model, post, g.model
		} else if model, ok := shownModel(path); ok {
			found.surface, found.model, found.methods, found.handlers = dialect.Models, model, get, g.showing
		}
	}
	return g.refuseUnknown(found, r)
}

// surfaceOf finds the endpoint of a path, and the model where the path names it.
func surfaceOf(path string) (surface dialect.Surface, model string, ok bool) {
	for _, s := range dialect.Endpoints() {
		if !s.ModelInPath() && s.Path("") == path {
			return s, "", true
		}
	}
	return geminiCall(path)
}

// shownModel reads /v1/models/{model}.
func shownModel(path string) (model string, ok bool) {
	name, ok := strings.CutPrefix(path, dialect.Models.ListPath()+"/")
	if !ok || name == "" || strings.Contains(name, "/") {
		return "", false
	}
	model, err := url.PathUnescape(name)
	return model, err == nil
}

// geminiCall reads /v1beta/models/{model}:{method}.
func geminiCall(path string) (surface dialect.Surface, model string, ok bool) {
	name, ok := strings.CutPrefix(path, "/v1beta/models/")
	if !ok {
		return "", "", false
	}
	colon := strings.LastIndexByte(name, ':')
	if colon < 1 {
		return "", "", false
	}
	switch name[colon+1:] {
	case "generateContent":
		surface = dialect.GenerateContent
	case "streamGenerateContent":
		surface = dialect.GenerateStream
	default:
		return "", "", false
	}
	model, err := url.PathUnescape(name[:colon])
	return surface, model, err == nil
}

// refuseUnknown makes a route with an unknown path or a wrong method one that refuses. Under the API roots the key is
// checked first.
func (g *Gateway) refuseUnknown(found route, r *http.Request) route {
	var refusal *Failure
	switch {
	case len(found.methods) == 0:
		refusal = Refuse(InvalidRequest, nil).with(http.StatusNotFound, "There is no such path.")
	case !slices.Contains(found.methods, r.Method):
		refusal = Refuse(InvalidRequest, nil).with(http.StatusMethodNotAllowed, "The path does not allow this method.").
			WithHeader("Allow", strings.Join(found.methods, ", "))
	default:
		return found
	}
	found.handlers = []namedHandler{{Route, func(context.Context, *Call) error { return refusal }}}
	if strings.HasPrefix(r.URL.Path, "/v1/") || strings.HasPrefix(r.URL.Path, "/v1beta/") {
		found.handlers = append(g.entrance(), found.handlers...)
	}
	return found
}

// surfaceOfPrefix returns a surface in the API format of a path that may not exist. OpenAI and Anthropic share the root
// /v1; the header that every Anthropic client must send distinguishes them.
func surfaceOfPrefix(r *http.Request) dialect.Surface {
	switch {
	case strings.HasPrefix(r.URL.Path, "/v1beta/"):
		return dialect.GenerateContent
	case strings.HasPrefix(r.URL.Path, "/v1/messages"), r.Header.Get("Anthropic-Version") != "":
		return dialect.Messages
	default:
		return dialect.Chat
	}
}
