package dialect

// The HTTP methods by name. They are defined here because net/http would link an HTTP server into the program.
const (
	methodGet  = "GET"
	methodPost = "POST"
)

// The statuses for which the formats define error types. They are defined here because net/http would link an HTTP server into the program, and
// programs that only read logs do not need one.
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

// Presented gives access to the places in a request that may contain the credential.
type Presented struct {
	// Header returns the first value of a header field, and Query returns the first value of a URL parameter. Both return "" if there is none.
	Header, Query func(name string) string
}
