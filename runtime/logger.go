package runtime

import (
	"context"
	"log/slog"
)

// A Logger is told what a store or consumer does. keyvals alternate keys and values as in [slog.Logger.Info]. It must be
// safe for concurrent use.
type Logger interface {
	// Debug is told what happens all the time, such as each batch of a consumer.
	Debug(ctx context.Context, msg string, keyvals ...any)
	// Info is told what happens seldom and is as it should be, such as a consumer that was resumed.
	Info(ctx context.Context, msg string, keyvals ...any)
	// Error is told what an operator should know: failures, stops, a database that is away.
	Error(ctx context.Context, msg string, keyvals ...any)
}

// NoOpLogger is a [Logger] that drops everything.
type NoOpLogger struct{}

// Debug does nothing.
func (NoOpLogger) Debug(context.Context, string, ...any) {}

// Info does nothing.
func (NoOpLogger) Info(context.Context, string, ...any) {}

// Error does nothing.
func (NoOpLogger) Error(context.Context, string, ...any) {}

// SlogLogger returns a [Logger] that writes to l.
func SlogLogger(l *slog.Logger) Logger { return slogLogger{l} }

type slogLogger struct{ l *slog.Logger }

func (s slogLogger) Debug(ctx context.Context, msg string, keyvals ...any) {
	s.l.DebugContext(ctx, msg, keyvals...)
}

func (s slogLogger) Info(ctx context.Context, msg string, keyvals ...any) {
	s.l.InfoContext(ctx, msg, keyvals...)
}

func (s slogLogger) Error(ctx context.Context, msg string, keyvals ...any) {
	s.l.ErrorContext(ctx, msg, keyvals...)
}
