package gatecerttest_test

import (
	"net/http/httptest"
	"testing"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/gatecerttest"
	"github.com/gatecert/gatecert/targets/profile"
)

// testContract is TestContract in the tests of your gateway. newGateway returns your handler, which accepts the key
// sk-test and routes the model gc-chat to the URL that it is given.
func testContract(t *testing.T) {
	const upstream = "127.0.0.1:19901" // gatecert's mock upstream listens here during the run
	gateway := httptest.NewServer(newGateway(t, "http://"+upstream))
	defer gateway.Close()

	gatecerttest.Test(t, gatecert.Config{
		Target: profile.Profile{
			BaseURL:  gateway.URL,
			Surfaces: []dialect.Surface{dialect.Chat, dialect.ChatStream},
			Keys:     profile.Keys{Valid: "sk-test"},
			Models:   profile.Models{Default: "gc-chat"},
			Upstream: profile.Upstream{Listen: upstream},
		},
		Level: contract.Relay,
	})
}

func ExampleTest() {
	_ = testContract // go test runs it
}
