package newapi

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/profile"
)

// product is the kind of gateway: new-api grew out of one-api, and most of the admin API is still the same. The differences:
//
//	                       new-api                           one-api
//	session                bearer token, 15 minutes          cookie
//	a bad access token     401                               200 with success:false
//	a new channel          {"mode":"single","channel":{…}}   {…}
//	channel on and off     POST /api/channel/ID/status       PUT /api/channel/
//	channel with many keys yes                               no
//	quota of a user        POST /api/user/manage             PUT /api/user/, never to zero
//	a token's key          POST /api/token/batch/keys        in the list
//	limits of a token      model_limits, allow_ips           models, subnet
//	prices                 ModelPrice, unpriced is refused   ModelRatio, unpriced has a ratio of 30
//	a deleted user         is gone, with its tokens          stays as "deleted_…", forever
//	logs by request        yes                               no
//	words, rate limits, …  options                           none
type product string

const (
	newAPI product = profile.NewAPIDriver
	oneAPI product = profile.OneAPIDriver
)

// surfaces are those that the product serves.
func (p product) surfaces() []dialect.Surface {
	if p == oneAPI {
		// It has transcriptions too, and takes whisper-1 for the model of every form; and images, which cost so much that a few spend
		// the quota under which it does not trust a user.
		return []dialect.Surface{
			dialect.Chat, dialect.ChatStream, dialect.Completions, dialect.Embeddings, dialect.Speech, dialect.Moderations, dialect.Models,
		}
	}
	// It has no route for counts of tokens: 404.
	return slices.DeleteFunc(dialect.Surfaces(), func(s dialect.Surface) bool { return s == dialect.CountTokens })
}

// describedModel is one of the models that both products describe: those that they know by name, whatever the channels serve.
const describedModel = "gpt-4o"

// unauthorized recognises the refusals that one-api sends with 200. Only their text differs.
func (p product) unauthorized(e envelope) bool {
	return p == oneAPI && e.Success != nil && !*e.Success && strings.HasPrefix(e.Message, "无权进行此操作") //nolint:gosmopolitan // its own words: "not entitled to this operation"
}

// readTable is the table without which a call fails after the caller was authenticated.
func (p product) readTable() string {
	if p == oneAPI {
		return "abilities"
	}
	return "user_subscriptions"
}

// The types of channel that recipes use.
const (
	openAIChannel    = 1
	anthropicChannel = 14
	geminiChannel    = 24
	// libraryChannel is AI Proxy Library: new-api still has the number, but no code for it.
	libraryChannel = 21
	// cozeChannel fails without a user: new-api then writes a response id that is not JSON.
	cozeChannel = 49
	// bedrockChannel is AWS: one-api has an adaptor for each model it knows there, and none for those of a run.
	bedrockChannel = 33
	// replicateChannel makes images only: no request for text or vectors can be converted for it.
	replicateChannel = 56
)

// unconvertibleKind is a type of channel into whose format no text request can be converted.
func (p product) unconvertibleKind() int {
	if p == oneAPI {
		return bedrockChannel
	}
	return replicateChannel
}

type channel struct {
	name    string
	kind    int
	keys    []string
	baseURL string
	models  []string
	groups  []string
	mapping string // JSON
}

// fields are the channel in the form of the API. auto_ban keeps the gateway from disabling it after failures.
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

// channelBody is the body of POST /api/channel/.
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

func (p product) statusCall(id, status int) (method, path string, body any) {
	if p == oneAPI {
		return http.MethodPut, "/api/channel/", map[string]int{"id": id, "status": status}
	}
	return http.MethodPost, "/api/channel/" + strconv.Itoa(id) + "/status", map[string]int{"status": status}
}

// token is a relay key to be created.
type token struct {
	name string
	// budget is the key's own quota; 0 is unlimited.
	budget int
	// models are those that it may use, separated by commas; "" is any.
	models string
	// network is where it may be used from, as a CIDR prefix; "" is anywhere.
	network string
}

// tokenBody is the body of POST /api/token/.
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

// items is a list as the API sends it: bare, or as the items of a page.
type items[T any] []T

// UnmarshalJSON implements [json.Unmarshaler].
func (l *items[T]) UnmarshalJSON(data []byte) error {
	var page struct {
		Items []T `json:"items"`
	}
	if json.Unmarshal(data, &page) == nil {
		*l = page.Items
		return nil
	}
	return json.Unmarshal(data, (*[]T)(l))
}
