package fleet

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/gatecert/gatecert/internal/wait"
)

const (
	// ackWait is after how long a message comes again that was not acknowledged.
	ackWait = 10 * time.Second
	// fetchFor is how long a request for messages waits for one.
	fetchFor = 5 * time.Second
	// fetchAgain is how long after a failure the next request is made.
	fetchAgain = 200 * time.Millisecond
)

// consume passes the messages of a consumer on until ctx is done, one at a time. Whatever fails is tried again: a server that is restarted
// comes back, and a consumer that it has forgotten is made anew by the coordinator.
func consume(ctx context.Context, js jetstream.JetStream, stream, consumer string, batch int, handle func(jetstream.Msg)) {
	for ctx.Err() == nil {
		messages, err := fetch(ctx, js, stream, consumer, batch)
		if err != nil {
			_ = wait.For(ctx, fetchAgain) // the loop ends with ctx
			continue
		}
		for message := range messages {
			handle(message)
		}
	}
}

func fetch(ctx context.Context, js jetstream.JetStream, stream, consumer string, n int) (<-chan jetstream.Msg, error) {
	c, err := js.Consumer(ctx, stream, consumer)
	if err != nil {
		return nil, err
	}
	waiting, cancel := context.WithTimeout(ctx, fetchFor)
	context.AfterFunc(waiting, cancel)
	batch, err := c.Fetch(n, jetstream.FetchContext(waiting))
	if err != nil {
		cancel()
		return nil, err
	}
	return batch.Messages(), nil
}

// blobs are the messages that are too large for one of NATS.
type blobs struct {
	js     jetstream.JetStream
	bucket string
}

func (b blobs) put(ctx context.Context, name string, message []byte) error {
	store, err := b.js.CreateOrUpdateObjectStore(ctx, jetstream.ObjectStoreConfig{Bucket: b.bucket, Storage: jetstream.MemoryStorage, TTL: time.Hour})
	if err == nil {
		_, err = store.PutBytes(ctx, name, message)
	}
	if err != nil {
		return fmt.Errorf("cannot store a message of %d kB on the NATS server: %w", len(message)>>10, err)
	}
	return nil
}

// fit seals a message, or what stands in its place where it is too large: the message is then stored under a name.
func (b blobs) fit(ctx context.Context, s sealer, subject, name string, message, inPlace any) ([]byte, error) {
	sealed, err := s.seal(subject, message)
	if err != nil || len(sealed) <= inlined {
		return sealed, err
	}
	if err := b.put(ctx, name, sealed); err != nil {
		return nil, err
	}
	return s.seal(subject, inPlace)
}

func (b blobs) get(ctx context.Context, name string) ([]byte, error) {
	store, err := b.js.ObjectStore(ctx, b.bucket)
	if err != nil {
		return nil, fmt.Errorf("cannot read a message that is stored on the NATS server: %w", err)
	}
	message, err := store.GetBytes(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("cannot read a message that is stored on the NATS server: %w", err)
	}
	return message, nil
}

func (b blobs) drop(ctx context.Context, name string) {
	if store, err := b.js.ObjectStore(ctx, b.bucket); err == nil {
		_ = store.Delete(ctx, name) // it ends by itself within the hour
	}
}

func (b blobs) remove(ctx context.Context) {
	_ = b.js.DeleteObjectStore(ctx, b.bucket) // there may be none, and it ends by itself
}
