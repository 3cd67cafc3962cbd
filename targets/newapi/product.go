package newapi

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/gatecert/gatecert/targets/profile"
)

// product is the kind of gateway: new-api grew out of one-api, and most of the admin API is still the same. What differs:
//
//	                       new-api                           one-api
//	session                bearer token, 15 minutes          cookie
//	a bad access token     401                               200 with success:false
//	a new channel          {"mode":"single","channel":{…}}   {…}
//	channel on and off     POST /api/channel/ID/status       PUT /api/channel/
//	a channel of many keys yes                               no
//	quota of a user        POST /api/user/manage             PUT /api/user/, never to zero
//	a token's key          POST /api/token/batch/keys        stands in the list
//	limits of a token      model_limits, allow_ips           models, subnet
//	prices                 ModelPrice, unpriced is refused   ModelRatio, unpriced has a ratio of 30
//	a deleted user         is gone, with its tokens          stays as "deleted_…", for good
//	logs by request        yes                               no
//	words, rate limits, …  options                           none
type product string

const (
	newAPI product = profile.NewAPIDriver
	oneAPI product = profile.OneAPIDriver
)

// unauthorized recognises the refusals that one-api gives with 200. Their text is the only difference.
func (p product) unauthorized(e envelope) bool {
	return p == oneAPI && e.Success != nil && !*e.Success && strings.HasPrefix(e.Message, "无权进行此操作") //nolint:gosmopolitan // its own words: "not entitled to this operation"
}

// The types of channel that recipes use, and what becomes of a call on each.
const (
	openAIChannel    = 1
	anthropicChannel = 14
	geminiChannel    = 24
	// libraryChannel is AI Proxy Library, for which new-api keeps the number and has no code any more.
	libraryChannel = 21
	// cozeChannel cannot be asked without a user: new-api then writes a response id that is no JSON.
	cozeChannel = 49
	// bedrockChannel is AWS: one-api has an adaptor for each model it knows there, and none for ours.
	bedrockChannel = 33
	// replicateChannel makes images only: no request for text or vectors can be expressed for it.
	replicateChannel = 56
)

// channel is a channel to be made.
type channel struct {
	name    string
	kind    int
	keys    []string
	baseURL string
	models  []string
	groups  []string
	mapping string // JSON text
}

// fields are the channel as the API takes it. auto_ban keeps the gateway from disabling it after failures.
func (ch channel) fields() map[string]any {
	f := map[string]any{
		"name": ch.name, "type": ch.kind, "key": strings.Join(ch.keys, "\n"), "base_url": ch.baseURL,
		"models": strings.Join(ch.models, ","), "group": strings.Join(ch.groups, ","), "auto_ban": 0,
	}
	if ch.mapping != "" {
		f["model_mapping"] = ch.mapping
	}
	return f
}

// channelBody is what POST /api/channel/ takes.
func (p product) channelBody(ch channel) any {
	if p == oneAPI {
		return ch.fields()
	}
	body := map[string]any{"mode": "single", "channel": ch.fields()}
	if len(ch.keys) > 1 {
		body["mode"], body["multi_key_mode"] = "multi_to_single", "random"
	}
	return body
}

// switchCall is the call that sets a channel's status.
func (p product) switchCall(id, status int) (method, path string, body any) {
	if p == oneAPI {
		return http.MethodPut, "/api/channel/", map[string]int{"id": id, "status": status}
	}
	return http.MethodPost, "/api/channel/" + itoa(id) + "/status", map[string]int{"status": status}
}

// token is a relay key to be made.
type token struct {
	name string
	// budget is the key's own quota; 0 is unlimited.
	budget int
	// models are all it may use; none: any.
	models string
	// network is where it may be used from; "": anywhere.
	network string
}

func (p product) tokenBody(t token) any {
	body := map[string]any{
		"name": t.name, "expired_time": -1, "unlimited_quota": t.budget == 0, "remain_quota": t.budget,
	}
	if p == oneAPI {
		body["models"], body["subnet"] = t.models, t.network
		return body
	}
	body["model_limits_enabled"], body["model_limits"] = t.models != "", t.models
	body["allow_ips"] = t.network
	return body
}

// page is a list as the API gives it: bare, or as the items of a page.
type page[T any] []T

// UnmarshalJSON implements [json.Unmarshaler].
func (p *page[T]) UnmarshalJSON(data []byte) error {
	var paged struct {
		Items []T `json:"items"`
	}
	if json.Unmarshal(data, &paged) == nil {
		*p = paged.Items
		return nil
	}
	return json.Unmarshal(data, (*[]T)(p))
}
