package reference

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/reference/convert"
)

// Code is a business code of table 2, or [RateLimited].
type Code string

// The codes that the gateway uses in responses.
const (
	InvalidRequest    Code = convert.CodeInvalidRequest
	BadRequestBody    Code = convert.CodeBadRequestBody
	ReadRequestBody   Code = "read_request_body_failed"
	ConvertRequest    Code = "convert_request_failed"
	SensitiveWords    Code = "sensitive_words_detected"
	PromptBlocked     Code = "prompt_blocked"
	AccessDenied      Code = "access_denied"
	ModelNotFound     Code = "model_not_found"
	InvalidAPIType    Code = "invalid_api_type"
	GetChannel        Code = "get_channel_failed"
	NoAvailableKey    Code = "channel:no_available_key"
	InvalidChannelKey Code = "channel:invalid_key"
	ModelMapped       Code = "channel:model_mapped_error"
	ResponseTime      Code = "channel:response_time_exceeded"
	InsufficientQuota Code = "insufficient_user_quota"
	PreConsumeQuota   Code = "pre_consume_token_quota_failed"
	ModelPrice        Code = "model_price_error"
	CountToken        Code = "count_token_failed"
	DoRequest         Code = "do_request_failed"
	BadResponse       Code = "bad_response"
	BadResponseStatus Code = "bad_response_status_code"
	EmptyResponse     Code = "empty_response"
	ReadResponseBody  Code = "read_response_body_failed"
	MarshalJSON       Code = "json_marshal_failed"
	QueryData         Code = "query_data_error"
	UpdateData        Code = "update_data_error"
	RateLimited       Code = "rate_limit_exceeded" // table 2 has no code for 429
)

type outcome struct {
	status  int
	message string
}

// outcomes is the one place that pairs codes with statuses and messages. No message says what is inside the gateway.
var outcomes = map[Code]outcome{
	InvalidRequest:    {http.StatusBadRequest, "The request's parameters are invalid."},
	BadRequestBody:    {http.StatusBadRequest, "The request body is not valid JSON."},
	ReadRequestBody:   {http.StatusBadRequest, "The request body could not be read completely."},
	ConvertRequest:    {http.StatusBadRequest, "The request cannot be expressed in the API of this model's upstream."},
	SensitiveWords:    {http.StatusBadRequest, "The input contains words that are not allowed here."},
	PromptBlocked:     {http.StatusBadRequest, "The upstream refused the prompt on policy grounds."},
	AccessDenied:      {http.StatusForbidden, "This key is not allowed to make the request."},
	ModelNotFound:     {http.StatusNotFound, "The model does not exist."},
	InvalidAPIType:    {http.StatusBadRequest, "The model is served through an API type that is not supported."},
	GetChannel:        {http.StatusServiceUnavailable, "No channel is available for the model."},
	NoAvailableKey:    {http.StatusServiceUnavailable, "No channel for the model has a usable credential."},
	InvalidChannelKey: {http.StatusBadGateway, "The upstream does not accept the gateway's credential."},
	ModelMapped:       {http.StatusInternalServerError, "The model's name cannot be mapped to an upstream model name."},
	ResponseTime:      {http.StatusGatewayTimeout, "The upstream did not answer in time."},
	InsufficientQuota: {http.StatusForbidden, "The account's quota is too small for the request."},
	PreConsumeQuota:   {http.StatusForbidden, "The key's budget is too small for the request."},
	ModelPrice:        {http.StatusInternalServerError, "The model has no usable price."},
	CountToken:        {http.StatusBadRequest, "The tokens of the input cannot be counted."},
	DoRequest:         {http.StatusBadGateway, "The upstream could not be reached."},
	BadResponse:       {http.StatusBadGateway, "The upstream sent an invalid response."},
	BadResponseStatus: {http.StatusBadGateway, "The upstream failed."},
	EmptyResponse:     {http.StatusBadGateway, "The upstream sent an empty response."},
	ReadResponseBody:  {http.StatusBadGateway, "The upstream's response was cut off."},
	MarshalJSON:       {http.StatusInternalServerError, "The response could not be serialized as JSON."},
	QueryData:         {http.StatusInternalServerError, "The gateway could not read its data."},
	UpdateData:        {http.StatusInternalServerError, "The gateway could not write its data."},
	RateLimited:       {http.StatusTooManyRequests, "Too many requests."},
}

// outcomeOf returns the outcome of a code. An unknown code is a failure of the gateway itself.
func outcomeOf(c Code) outcome {
	if o, known := outcomes[c]; known {
		return o
	}
	return outcome{http.StatusInternalServerError, "The gateway failed."}
}

// Failure is the reason why a call failed: what the client receives, and the cause, which only the log receives.
type Failure struct {
	Code    Code
	Status  int
	Message string
	// Param is the invalid field of the request body, or "" if there is none.
	Param string
	// Header is added to a response that has not begun. nil adds nothing.
	Header http.Header
	// Cause may be nil.
	Cause error
	// Handler is the handler that failed, once it is known.
	Handler HandlerName
}

// Refuse returns a failure with the status and the message of its code. The cause may be nil.
func Refuse(c Code, cause error) *Failure {
	o := outcomeOf(c)
	return &Failure{Code: c, Status: o.status, Message: o.message, Cause: cause}
}

func (f *Failure) Error() string {
	if f.Cause == nil {
		return fmt.Sprintf("%d %s", f.Status, f.Code)
	}
	return fmt.Sprintf("%d %s: %v", f.Status, f.Code, f.Cause)
}

func (f *Failure) Unwrap() error { return f.Cause }

// with replaces the status and the message of the code.
func (f *Failure) with(status int, message string) *Failure {
	f.Status, f.Message = status, message
	return f
}

// WithHeader sets a header field of the response and returns the failure.
func (f *Failure) WithHeader(name, value string) *Failure {
	if f.Header == nil {
		f.Header = make(http.Header)
	}
	f.Header.Set(name, value)
	return f
}

// FailureOf classifies any error that a handler returns.
func FailureOf(err error) *Failure {
	if f, ok := errors.AsType[*Failure](err); ok {
		return f
	}
	if problem, ok := errors.AsType[*convert.Problem](err); ok {
		f := Refuse(Code(problem.Code), err)
		f.Message, f.Param = problem.Message, problem.Param
		return f
	}
	for _, known := range []struct {
		cause error
		code  Code
	}{
		{ErrStoreRead, QueryData},
		{ErrStoreWrite, UpdateData},
		{errQuota, InsufficientQuota},
		{errBudget, PreConsumeQuota},
		{ErrTooSlow, ResponseTime},
		{convert.ErrUnconvertible, ConvertRequest},
		{convert.ErrBlocked, PromptBlocked},
		{convert.ErrEmpty, EmptyResponse},
		{convert.ErrNotAnswer, BadResponse},
		{convert.ErrTruncated, ReadResponseBody},
	} {
		if errors.Is(err, known.cause) {
			return Refuse(known.code, err)
		}
	}
	// What is left is a defect of the gateway itself. Table 2 has no code for that; this one gives the right advice.
	return Refuse(DoRequest, err).with(http.StatusInternalServerError, "The gateway failed.")
}

func (f *Failure) apiError() dialect.Problem {
	e := dialect.Problem{Status: f.Status, Code: string(f.Code), Message: f.Message, Param: f.Param}
	if f.Code == InsufficientQuota || f.Code == PreConsumeQuota {
		e.Type = "insufficient_quota" // OpenAI's own type; the status alone would give that of any 403
	}
	return e
}

// Encode encodes the failure in the error envelope of a surface.
func (f *Failure) Encode(s dialect.Surface) []byte { return convert.EncodeError(s, f.apiError()) }
