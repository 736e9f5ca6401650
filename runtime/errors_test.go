package runtime_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/eventmap/eventmap/runtime"
)

// stateError stands for the error of a driver that tells SQLSTATEs.
type stateError string

func (e stateError) Error() string    { return "state " + string(e) }
func (e stateError) SQLState() string { return string(e) }

func TestRetryable_knowsTheStates(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{errors.New("state 40001"), false},
		{stateError("40001"), true},
		{stateError("40P01"), true},
		{stateError("40003"), false}, // statement completion unknown
		{stateError("23505"), false},
		{fmt.Errorf("append: %w", stateError("40001")), true},
		{errors.Join(runtime.ErrOptimisticConcurrency, stateError("40P01")), true},
		{&runtime.ConflictError{}, false},
		{runtime.ErrOptimisticConcurrency, false},
	} {
		if got := runtime.Retryable(row.err); got != row.want {
			t.Errorf("Retryable(%v) is %v, want %v", row.err, got, row.want)
		}
	}
}

func TestConflictError_saysWhere(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]*runtime.ConflictError{
		`Order "42" is at version 3, expected version 2`:         {AggregateType: "Order", AggregateID: "42", Expected: runtime.Exact(2), Actual: 3},
		`Order "42" does not exist, expected an existing stream`: {AggregateType: "Order", AggregateID: "42", Expected: runtime.StreamExists()},
	} {
		if err.Error() != want {
			t.Errorf("says %q, want %q", err, want)
		}
		if wrapped := fmt.Errorf("append: %w", err); !errors.Is(wrapped, runtime.ErrOptimisticConcurrency) || errors.Is(wrapped, runtime.ErrDuplicateEvent) {
			t.Errorf("%v is not the conflict it should be", wrapped)
		}
	}
}

func TestInvalidEventError_saysWhich(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]*runtime.InvalidEventError{
		"event 2: EventID is nil":             {Index: 2, Field: "EventID", Reason: "is nil"},
		"ExpectedVersion is -1, not possible": {Index: -1, Field: "ExpectedVersion", Reason: "is -1, not possible"},
	} {
		if err.Error() != want {
			t.Errorf("says %q, want %q", err, want)
		}
	}
}
