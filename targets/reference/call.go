package reference

import (
	"context"
	"net/http"
	"strings"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/reference/convert"
)

// stage is one named step of a call. Its error ends the call; [failureOf] tells what the caller hears.
type stage struct {
	name string
	run  func(context.Context, *call) error
}

const requestIDPrefix = "req_"

// call is one request on its way through the stages. Each stage fills in what later ones need.
type call struct {
	id      string
	request *http.Request
	reply   *reply
	// surface is the dialect of every answer. It is known from the path and made precise by the body.
	surface dialect.Surface
	// pathModel is the model named in the path of a Gemini call.
	pathModel string
	bends     *bends

	account account                // authenticate
	body    []byte                 // read
	asked   convert.Request        // decode
	model   model                  // authorise
	tokens  int64                  // count: of the input
	cost    int64                  // price: the most that the call can cost
	held    *hold                  // reserve: money to be settled or refunded
	routes  []channelRoute         // pick: in the order to try them
	dialled *dialled               // dial: the provider's answer, its body unread
	stream  *convert.StreamEncoder // deliver: the events to the caller

	failed *failure // what the caller is told of; nil as long as nothing failed
}

// answerID is the id of the answer in the caller's dialect. The provider's own stays inside.
func (c *call) answerID() string { return strings.TrimPrefix(c.id, requestIDPrefix) }

// entrance are the stages that every path under the API's roots begins with.
func (g *Gateway) entrance() []stage {
	return []stage{{"authenticate", g.authenticate}, {"admit", g.admit}}
}

// relayStages are the stages of a call to a model.
func (g *Gateway) relayStages() []stage {
	return append(g.entrance(),
		stage{"limit", g.limit},
		stage{"read", g.read},
		stage{"decode", g.decode},
		stage{"authorise", g.authorise},
		stage{"screen", g.screen},
		stage{"count", g.count},
		stage{"price", g.price},
		stage{"reserve", g.reserve},
		stage{"pick", g.pick},
		stage{"dial", g.dial},
		stage{"deliver", g.deliver},
	)
}

// decode is the stage that reads the body in the caller's dialect.
func (g *Gateway) decode(_ context.Context, c *call) error {
	asked, err := convert.Decode(c.surface, c.pathModel, c.body)
	if err != nil {
		return err
	}
	c.asked, c.surface, c.body = asked, asked.Surface, nil
	return nil
}
