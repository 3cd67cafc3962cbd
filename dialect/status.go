package dialect

// The methods by name. net/http has names for them, and would bring a server along.
const (
	methodGet  = "GET"
	methodPost = "POST"
)

// The statuses that the formats have words for. They are spelled out here because net/http would bring a server along,
// and whoever reads logs needs none.
const (
	statusBadRequest            = 400
	statusUnauthorized          = 401
	statusPaymentRequired       = 402
	statusForbidden             = 403
	statusNotFound              = 404
	statusMethodNotAllowed      = 405
	statusConflict              = 409
	statusRequestEntityTooLarge = 413
	statusTooManyRequests       = 429
	statusNotImplemented        = 501
	statusServiceUnavailable    = 503
	statusGatewayTimeout        = 504
)

// Presented is where a request may carry its credential.
type Presented struct {
	// Header returns the first value of a header field, Query that of a parameter of the URL; "" for none.
	Header, Query func(name string) string
}
