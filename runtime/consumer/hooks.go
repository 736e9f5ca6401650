package consumer

import (
	"context"
	"time"
)

// Hooks are told what a runner does, for metrics. Each may be nil. They are called by the workers, several at a time, and
// must return soon.
type Hooks struct {
	// Batch is called after each committed batch.
	Batch func(ctx context.Context, b BatchInfo)
	// Failure is called after each failed attempt at an event, once it is on record.
	Failure func(ctx context.Context, f FailureInfo)
	// Trouble is called when the database could not be reached or used; the worker tries again. No consumer is named where
	// it concerns all of them.
	Trouble func(ctx context.Context, consumer string, err error)
}

// A BatchInfo is about a committed batch.
type BatchInfo struct {
	Consumer string
	Log      string // where there are many
	Segment  int
	Events   int           // handled
	Parked   int           // set aside
	Position int64         // of the checkpoint after the batch
	Frontier int64         // when the batch began
	Took     time.Duration // from begin to commit
}

// A FailureInfo is about a failed attempt at an event.
type FailureInfo struct {
	Consumer string
	Log      string // where there are many
	Segment  int
	Position int64 // of the event
	Attempt  int   // from 1
	Err      error // what the handler returned
	Outcome  Outcome
	RetryIn  time.Duration // with Retried and Waiting
}

// An Outcome is what a failure led to.
type Outcome string

// The outcomes of a failure.
const (
	Retried Outcome = "retried" // it will be tried again
	Parked  Outcome = "parked"
	Stopped Outcome = "stopped"
	Waiting Outcome = "waiting" // for a process that knows the event
)
