package reference

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/gatecert/gatecert/targets/reference/convert"
)

// code is a business code of table 2, or rateLimited.
type code string

const (
	invalidRequest    code = convert.CodeInvalidRequest
	badRequestBody    code = convert.CodeBadRequestBody
	readRequestBody   code = "read_request_body_failed"
	convertRequest    code = "convert_request_failed"
	sensitiveWords    code = "sensitive_words_detected"
	promptBlocked     code = "prompt_blocked"
	accessDenied      code = "access_denied"
	modelNotFound     code = "model_not_found"
	invalidAPIType    code = "invalid_api_type"
	getChannel        code = "get_channel_failed"
	noAvailableKey    code = "channel:no_available_key"
	invalidChannelKey code = "channel:invalid_key"
	modelMapped       code = "channel:model_mapped_error"
	responseTime      code = "channel:response_time_exceeded"
	insufficientQuota code = "insufficient_user_quota"
	preConsumeQuota   code = "pre_consume_token_quota_failed"
	modelPrice        code = "model_price_error"
	countToken        code = "count_token_failed"
	doRequest         code = "do_request_failed"
	badResponse       code = "bad_response"
	badResponseStatus code = "bad_response_status_code"
	emptyResponse     code = "empty_response"
	readResponseBody  code = "read_response_body_failed"
	marshalJSON       code = "json_marshal_failed"
	queryData         code = "query_data_error"
	updateData        code = "update_data_error"
	rateLimited       code = "rate_limit_exceeded" // table 2 has no code for 429
)

// outcome is the status and the wording that go with a code.
type outcome struct {
	status  int
	message string
}

// outcomes is the one place that pairs codes with statuses and words. The words never name what is inside the gateway.
var outcomes = map[code]outcome{
	invalidRequest:    {http.StatusBadRequest, "The request's parameters are invalid."},
	badRequestBody:    {http.StatusBadRequest, "The request body is not valid JSON."},
	readRequestBody:   {http.StatusBadRequest, "The request body could not be read to its end."},
	convertRequest:    {http.StatusBadRequest, "The request cannot be expressed in the API of this model's provider."},
	sensitiveWords:    {http.StatusBadRequest, "The input contains words that are not allowed here."},
	promptBlocked:     {http.StatusBadRequest, "The provider refused the prompt on policy grounds."},
	accessDenied:      {http.StatusForbidden, "This key does not permit the request."},
	modelNotFound:     {http.StatusNotFound, "The model does not exist."},
	invalidAPIType:    {http.StatusBadRequest, "The model is served through an API type that is not supported."},
	getChannel:        {http.StatusServiceUnavailable, "No channel is available for the model."},
	noAvailableKey:    {http.StatusServiceUnavailable, "No channel of the model has a usable credential."},
	invalidChannelKey: {http.StatusBadGateway, "The provider does not accept the gateway's credential."},
	modelMapped:       {http.StatusInternalServerError, "The model's name cannot be mapped to the provider's."},
	responseTime:      {http.StatusGatewayTimeout, "The provider did not answer in time."},
	insufficientQuota: {http.StatusForbidden, "The account's quota does not suffice for the request."},
	preConsumeQuota:   {http.StatusForbidden, "The key's budget does not suffice for the request."},
	modelPrice:        {http.StatusInternalServerError, "The model has no usable price."},
	countToken:        {http.StatusBadRequest, "The tokens of the input cannot be counted."},
	doRequest:         {http.StatusBadGateway, "The provider could not be reached."},
	badResponse:       {http.StatusBadGateway, "The provider's answer is not understood."},
	badResponseStatus: {http.StatusBadGateway, "The provider failed."},
	emptyResponse:     {http.StatusBadGateway, "The provider's answer is empty."},
	readResponseBody:  {http.StatusBadGateway, "The provider's answer broke off."},
	marshalJSON:       {http.StatusInternalServerError, "The answer could not be written as JSON."},
	queryData:         {http.StatusInternalServerError, "The gateway could not look something up."},
	updateData:        {http.StatusInternalServerError, "The gateway could not record something."},
	rateLimited:       {http.StatusTooManyRequests, "Too many requests."},
}

// outcomeOf is how a code is told. One that is unknown is a failure of the gateway itself.
func outcomeOf(c code) outcome {
	if o, known := outcomes[c]; known {
		return o
	}
	return outcome{http.StatusInternalServerError, "The gateway failed."}
}

// failure is why a call got no answer: what the caller is told, and the cause that only the log is told.
type failure struct {
	code    code
	status  int
	message string
	param   string
	header  http.Header
	cause   error
	// stage is the one that failed, once that is known.
	stage string
}

// refuse is a failure with the status and the words of its code. The cause may be nil.
func refuse(c code, cause error) *failure {
	o := outcomeOf(c)
	return &failure{code: c, status: o.status, message: o.message, cause: cause}
}

func (f *failure) Error() string {
	if f.cause == nil {
		return fmt.Sprintf("%d %s", f.status, f.code)
	}
	return fmt.Sprintf("%d %s: %v", f.status, f.code, f.cause)
}

func (f *failure) Unwrap() error { return f.cause }

// with answers another status and wording than the code's own.
func (f *failure) with(status int, message string) *failure {
	f.status, f.message = status, message
	return f
}

// saying adds a header field to the answer.
func (f *failure) saying(name, value string) *failure {
	if f.header == nil {
		f.header = make(http.Header)
	}
	f.header.Set(name, value)
	return f
}

// failureOf classifies whatever a stage returned.
func failureOf(err error) *failure {
	if f, ok := errors.AsType[*failure](err); ok {
		return f
	}
	if problem, ok := errors.AsType[*convert.Problem](err); ok {
		f := refuse(code(problem.Code), err)
		f.message, f.param = problem.Message, problem.Param
		return f
	}
	for _, known := range []struct {
		cause error
		code  code
	}{
		{errQuery, queryData},
		{errUpdate, updateData},
		{errQuota, insufficientQuota},
		{errBudget, preConsumeQuota},
		{errTooSlow, responseTime},
		{convert.ErrUnconvertible, convertRequest},
		{convert.ErrBlocked, promptBlocked},
		{convert.ErrEmpty, emptyResponse},
		{convert.ErrNotAnswer, badResponse},
		{convert.ErrTruncated, readResponseBody},
	} {
		if errors.Is(err, known.cause) {
			return refuse(known.code, err)
		}
	}
	// What is left is a defect of the gateway itself. Table 2 has no code for that; this one gives the right advice.
	return refuse(doRequest, err).with(http.StatusInternalServerError, "The gateway failed.")
}

// told is the failure as the caller's dialect will write it.
func (f *failure) told() convert.APIError {
	e := convert.APIError{Status: f.status, Code: string(f.code), Message: f.message, Param: f.param}
	if f.code == insufficientQuota || f.code == preConsumeQuota {
		e.Type = "insufficient_quota" // OpenAI's own word, where the status would only give that of any 403
	}
	return e
}
