package watch

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/gatecert/gatecert/internal/wait"
	"github.com/gatecert/gatecert/reports/plain"
)

// MessageSchema is the version of the JSON that a webhook receives.
const MessageSchema = "gatecert.watch/1"

// SignatureHeader is the header field that contains "sha256=" and the HMAC of the body under the secret, in hexadecimal.
const SignatureHeader = "X-Gatecert-Signature"

// Webhook receives a message after each round with a change.
type Webhook struct {
	URL string
	// Secret signs the messages; "" leaves them unsigned.
	Secret string
}

// Message is the message that a webhook receives.
type Message struct {
	Schema string `json:"schema"`
	Target string `json:"target"`
	Entry
}

func newMessage(target string, e Entry) Message {
	const most = 200 // changes in one message
	e.Changes = e.Changes[:min(len(e.Changes), most)]
	return Message{Schema: MessageSchema, Target: target, Entry: e}
}

const (
	attempts = 6
	// firstRetry is the wait before the second attempt. It doubles: six attempts take about a minute.
	firstRetry = 2 * time.Second
	// answerTime is how long a webhook may take to answer.
	answerTime = 10 * time.Second
	// queue bounds the messages that wait for a webhook that does not answer. Older ones are more useful: they say when it began.
	queue = 100
	// goodbye is how long messages are still sent after the watch has ended.
	goodbye = 5 * time.Second
)

// sender sends messages one after the other, in a goroutine of its own, so that no round waits for them.
type sender struct {
	webhook  Webhook
	problem  func(error)
	messages chan Message
	client   *http.Client
	cancel   context.CancelFunc
	done     sync.WaitGroup
}

func newSender(webhook Webhook, problem func(error)) *sender {
	if problem == nil {
		problem = func(error) {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &sender{
		webhook: webhook, problem: problem, messages: make(chan Message, queue), cancel: cancel,
		client: &http.Client{
			Timeout:   answerTime,
			Transport: &http.Transport{DisableKeepAlives: true, Proxy: http.ProxyFromEnvironment},
			// The signature and the message are for the named server alone.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	s.done.Go(func() {
		for m := range s.messages {
			if err := s.deliver(ctx, m); err != nil {
				s.problem(err)
			}
		}
	})
	return s
}

// send queues a message. It never waits.
func (s *sender) send(m Message) {
	if s.webhook.URL == "" {
		return
	}
	select {
	case s.messages <- m:
	default:
		s.problem(fmt.Errorf("webhook: %d messages are already waiting, so the message about round %s is not sent; the changes of this round are listed in %s", queue, m.ID, historyName))
	}
}

// close sends what is queued, for a few seconds at most.
func (s *sender) close() {
	close(s.messages)
	timer := time.AfterFunc(goodbye, s.cancel)
	s.done.Wait()
	timer.Stop()
	s.cancel()
}

// deliver sends a message until it is answered with 2xx.
func (s *sender) deliver(ctx context.Context, m Message) error {
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	retry := firstRetry
	for n := 1; ; n++ {
		if err = s.post(ctx, body); err == nil {
			return nil
		}
		if n == attempts || wait.For(ctx, retry) != nil {
			return fmt.Errorf("webhook: the message about round %s was not delivered in %s: %w", m.ID, plain.Count(n, "attempt"), err)
		}
		retry *= 2
	}
}

func (s *sender) post(ctx context.Context, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.webhook.URL, bytes.NewReader(body))
	if err != nil {
		return errors.New("the webhook URL is not valid")
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "gatecert")
	if s.webhook.Secret != "" {
		request.Header.Set(SignatureHeader, Signature(s.webhook.Secret, body))
	}
	answer, err := s.client.Do(request)
	if of, ok := errors.AsType[*url.Error](err); ok { // its text has the URL, which may hold a secret
		return of.Err
	}
	if err != nil {
		return err
	}
	_, _ = io.CopyN(io.Discard, answer.Body, 64<<10)
	_ = answer.Body.Close()
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return fmt.Errorf("the server returned status %d", answer.StatusCode)
	}
	return nil
}

// Signature returns the value of [SignatureHeader] for a body.
func Signature(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}
