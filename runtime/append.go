package runtime

// An AppendResult is what one append to one stream stored.
type AppendResult struct {
	// Events are the events as a later read returns them, byte for byte, in the order they were given.
	Events []PersistedEvent
	// GlobalPositions are the positions of Events, rising.
	GlobalPositions []int64
	// AlreadyStored reports that an earlier append of the same events was found, so that nothing was written and this
	// is its result again.
	AlreadyStored bool
}

// FromVersion returns the stream's version before the append, 0 for a new stream.
func (r AppendResult) FromVersion() int64 {
	if len(r.Events) == 0 {
		return 0
	}
	return r.Events[0].AggregateVersion - 1
}

// ToVersion returns the stream's version after the append.
func (r AppendResult) ToVersion() int64 {
	if len(r.Events) == 0 {
		return 0
	}
	return r.Events[len(r.Events)-1].AggregateVersion
}

// An Execution is what came of a generated Execute. Where nothing was appended, the AppendResult is empty.
type Execution[S any] struct {
	AppendResult
	State   S     // the aggregate as it is now, with the events that were appended
	Version int64 // of the stream, at which State stands
}

// A StreamAppend is one stream's part of an append to several: the events, all of one stream, and the version that
// stream must be at. Without events it is a guard; see [Guard].
type StreamAppend struct {
	Expected ExpectedVersion // of the stream before the append
	Events   []Event         // in the order of their versions
	// AggregateType and AggregateID name the stream of a guard. Where there are events, those name it, and these may be
	// empty.
	AggregateType, AggregateID string
}

// Guard returns an append without events. It makes the other appends of the same call depend on a stream that they leave
// as it is: that stream must be at the expected version, and is locked until the transaction ends, so that a decision that
// rests on it still holds at the commit. [Any] expects nothing and is refused. With [NoStream] the stream must not exist,
// and nobody else can begin it until the transaction ends.
func Guard(aggregateType, aggregateID string, expected ExpectedVersion) StreamAppend {
	return StreamAppend{Expected: expected, AggregateType: aggregateType, AggregateID: aggregateID}
}

// IsGuard reports whether a names a stream and has no events for it.
func (a *StreamAppend) IsGuard() bool {
	return len(a.Events) == 0 && (a.AggregateType != "" || a.AggregateID != "")
}
