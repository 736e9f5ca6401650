package otel

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/eventmap/eventmap/runtime"
)

// scope is the name of the instrumentation.
const scope = "github.com/eventmap/eventmap/runtime/otel"

// An Option changes what is told to whom.
type Option func(*config)

type config struct {
	tracers  trace.TracerProvider
	meters   metric.MeterProvider
	system   string
	interval time.Duration
}

// WithTracerProvider sets where spans go. The default is the global provider.
func WithTracerProvider(p trace.TracerProvider) Option { return func(c *config) { c.tracers = p } }

// WithMeterProvider sets where metrics go. The default is the global provider.
func WithMeterProvider(p metric.MeterProvider) Option { return func(c *config) { c.meters = p } }

// WithSystem sets the attribute db.system.name: "postgresql", which is the default, or "sqlite".
func WithSystem(name string) Option { return func(c *config) { c.system = name } }

// WithInterval sets how often at most [Watch] asks the database. The default and the least is five seconds.
func WithInterval(d time.Duration) Option { return func(c *config) { c.interval = d } }

func configure(opts []Option) config {
	c := config{tracers: otel.GetTracerProvider(), meters: otel.GetMeterProvider(), system: "postgresql", interval: leastInterval}
	for _, o := range opts {
		o(&c)
	}
	c.interval = max(c.interval, leastInterval)
	return c
}

// The attributes, by their names in OpenTelemetry's semantic conventions for databases and messaging, and our own.
const (
	systemKey      = attribute.Key("db.system.name")
	operationKey   = attribute.Key("db.operation.name")
	batchSizeKey   = attribute.Key("db.operation.batch.size")
	rowsKey        = attribute.Key("db.response.returned_rows")
	errorTypeKey   = attribute.Key("error.type")
	messagingKey   = attribute.Key("messaging.system")
	messageTypeKey = attribute.Key("messaging.operation.type")
	messageNameKey = attribute.Key("messaging.operation.name")
	destinationKey = attribute.Key("messaging.destination.name")
	groupKey       = attribute.Key("messaging.consumer.group.name")
	messageIDKey   = attribute.Key("messaging.message.id")
	messagesKey    = attribute.Key("messaging.batch.message_count")

	aggregateTypeKey = attribute.Key("eventmap.aggregate.type")
	eventTypeKey     = attribute.Key("eventmap.event.type")
	positionKey      = attribute.Key("eventmap.position")
	segmentKey       = attribute.Key("eventmap.segment")
	consumerKey      = attribute.Key("eventmap.consumer")
	attemptsKey      = attribute.Key("eventmap.attempts")
	outcomeKey       = attribute.Key("eventmap.outcome")
	snapshotKey      = attribute.Key("eventmap.snapshot.version")
)

// instruments are what is measured. The API gives the same instrument for the same name, so they can be made by everybody.
type instruments struct {
	tracer trace.Tracer
	system attribute.KeyValue

	append, read, batch, process             metric.Float64Histogram
	groupAppends, groupEvents                metric.Int64Histogram
	events, conflicts, retries, duplicates   metric.Int64Counter
	decodeErrors, failures, executeConflicts metric.Int64Counter
	snapshotReads, snapshotSaves             metric.Int64Counter

	sets sync.Map // from what a measurement is about to its attributes
}

func newInstruments(c config) *instruments {
	m := c.meters.Meter(scope)
	seconds := func(name, description string) metric.Float64Histogram {
		h, err := m.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(description),
			metric.WithExplicitBucketBoundaries(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10))
		if err != nil {
			otel.Handle(err)
		}
		return h
	}
	sizes := func(name, unit, description string) metric.Int64Histogram {
		h, err := m.Int64Histogram(name, metric.WithUnit(unit), metric.WithDescription(description),
			metric.WithExplicitBucketBoundaries(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024))
		if err != nil {
			otel.Handle(err)
		}
		return h
	}
	count := func(name, unit, description string) metric.Int64Counter {
		n, err := m.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(description))
		if err != nil {
			otel.Handle(err)
		}
		return n
	}
	return &instruments{
		tracer:           c.tracers.Tracer(scope),
		system:           systemKey.String(c.system),
		append:           seconds("eventmap.append.duration", "How long appends took, without the commit of the caller's transaction."),
		read:             seconds("eventmap.read.duration", "How long reads took, with what the caller did between the events of an iterator."),
		batch:            seconds("eventmap.consumer.batch.duration", "How long committed batches took, from begin to commit."),
		process:          seconds("eventmap.consumer.process.duration", "How long calls of handlers took: for one event, or for those of a batch."),
		groupAppends:     sizes("eventmap.group.appends", "{append}", "How many appends a group had when it was sent."),
		groupEvents:      sizes("eventmap.group.events", "{event}", "How many events a group had when it was sent."),
		events:           count("eventmap.append.events", "{event}", "Events that were appended."),
		conflicts:        count("eventmap.append.conflicts", "{append}", "Appends that found the stream at another version than expected."),
		retries:          count("eventmap.append.retries", "{append}", "Appends that the database broke off, for others to go on."),
		duplicates:       count("eventmap.append.duplicates", "{append}", "Appends whose events, or an ID of theirs, were stored already."),
		decodeErrors:     count("eventmap.decode.errors", "{event}", "Events that could not be turned into their Go types."),
		failures:         count("eventmap.consumer.failures", "{attempt}", "Failed attempts at events."),
		executeConflicts: count("eventmap.execute.conflicts", "{attempt}", "Decisions that had to be made again after a conflict."),
		snapshotReads:    count("eventmap.snapshot.reads", "{read}", "Reads that began with a snapshot (hit), and that found none (miss)."),
		snapshotSaves:    count("eventmap.snapshot.saves", "{snapshot}", "Snapshots that were handed to the store, or refused by it."),
	}
}

// attributes returns the attributes of a measurement, made once for each of the few that there are.
func (i *instruments) attributes(key measurement) metric.MeasurementOption {
	if set, ok := i.sets.Load(key); ok {
		return set.(metric.MeasurementOption)
	}
	var all []attribute.KeyValue
	for _, a := range []attribute.KeyValue{
		operationKey.String(key.operation), aggregateTypeKey.String(key.aggregateType), consumerKey.String(key.consumer),
		outcomeKey.String(key.outcome), errorTypeKey.String(key.errorType),
	} {
		if a.Value.AsString() != "" {
			all = append(all, a)
		}
	}
	set := metric.WithAttributeSet(attribute.NewSet(all...))
	i.sets.Store(key, set)
	return set
}

// A measurement is what a measurement is about.
type measurement struct{ operation, aggregateType, consumer, outcome, errorType string }

// errorType returns the kind of an error, one of a few.
func errorType(err error) string {
	var conflict *runtime.ConflictError
	var invalid *runtime.InvalidEventError
	var decode *runtime.DecodeError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &conflict), errors.Is(err, runtime.ErrOptimisticConcurrency):
		return "conflict"
	case errors.Is(err, runtime.ErrDuplicateEvent):
		return "duplicate"
	case errors.As(err, &invalid), errors.Is(err, runtime.ErrNoEvents):
		return "invalid"
	case errors.As(err, &decode):
		return "decode"
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	}
	return sqlState(err)
}

// sqlState returns the SQLSTATE of an error, or that it is another one.
func sqlState(err error) string {
	var server interface{ SQLState() string } // *pgconn.PgError and others, without importing drivers
	if errors.As(err, &server) {
		return server.SQLState()
	}
	return "other"
}

// end ends a span with the outcome of what it is about. A conflict is an outcome that the caller decides on, and no error.
// The text of an error can hold what is in events, so only its kind is told.
func end(span trace.Span, err error) {
	if kind := errorType(err); kind != "" && span.IsRecording() {
		span.SetAttributes(errorTypeKey.String(kind))
		if kind != "conflict" {
			span.SetStatus(codes.Error, kind)
		}
	}
	span.End()
}
