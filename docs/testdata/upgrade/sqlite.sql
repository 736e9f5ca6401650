-- The database of the shop, as 0.1 wrote it. Written by sqlite3 shop.db .dump.
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE IF NOT EXISTS "events" ( -- The event log. eventmap schema 1
    global_position   integer primary key autoincrement, -- Place in the log.
    created_at        text not null,    -- When it happened: RFC 3339 in UTC, with microseconds.
    event_id          text not null,    -- UUID of the event.
    aggregate_version integer not null, -- Place in its stream: 1, 2, 3 and so on.
    event_version     integer not null, -- Version of the payload's form, from 1.
    aggregate_type    text not null,    -- Type and ID of the aggregate name the stream.
    aggregate_id      text not null,
    event_type        text not null,    -- Kind of event within its aggregate type.
    payload           blob not null,    -- The encoded event, byte for byte.
    metadata          text,             -- JSON about the event, as it was given.
    trace_id          text,             -- Distributed trace it was written in.
    correlation_id    text,             -- Conversation it belongs to.
    causation_id      text,             -- Message that caused it.
    constraint "events_stream_version_key" unique (aggregate_type, aggregate_id, aggregate_version),
    constraint "events_event_id_key" unique (event_id),
    constraint "events_aggregate_version_check" check (aggregate_version > 0),
    constraint "events_event_version_check" check (event_version > 0)
) strict;
INSERT INTO events VALUES(1,'2026-11-28T16:41:49.939348Z','01a22308-d073-775e-b061-0ee37aeca557',1,1,'Order','o-1','Placed',X'7b22637573746f6d6572223a22416461222c2263656e7473223a313239307d',NULL,NULL,NULL,NULL);
INSERT INTO events VALUES(2,'2026-11-28T16:41:49.941030Z','01a22308-d075-70d5-b131-7ce4f1edccb3',1,1,'Account','a-1','Opened',X'7b226e616d65223a22416461222c22656d61696c223a22616461406578616d706c652e636f6d227d',NULL,NULL,NULL,NULL);
INSERT INTO events VALUES(3,'2026-11-28T16:41:49.941810Z','01a22308-d076-7227-b41e-26d7725e1047',1,2,'Order','o-2','Placed',X'7b22637573746f6d6572223a22416461222c2263656e7473223a3530302c2263757272656e6379223a22455552222c226368616e6e656c223a322c226174223a22323032362d30332d30325430393a33303a30302e3132333435363738395a222c226e6f7465223a2272696e67207477696365227d',NULL,NULL,NULL,NULL);
INSERT INTO events VALUES(4,'2026-11-28T16:41:49.942636Z','01a22308-d076-79d9-8129-abde9f0580b1',1,2,'Order','o-3','Placed',X'7b22637573746f6d6572223a224772616365222c2263656e7473223a3930302c2263757272656e6379223a22555344222c226368616e6e656c223a312c226174223a22323032362d30332d30325430393a33303a30302e3132333435363738395a227d',NULL,NULL,NULL,NULL);
INSERT INTO events VALUES(5,'2026-11-28T16:41:49.954602Z','01a22308-d082-79dd-b3b7-36c548c4e22d',1,2,'Order','o-4','Placed',X'7b22637573746f6d6572223a224772616365222c2263656e7473223a323030302c2263757272656e6379223a22455552222c226368616e6e656c223a312c226174223a22323032362d30332d30325430393a33303a30302e3132333435363738395a227d',NULL,NULL,NULL,NULL);
INSERT INTO events VALUES(6,'2026-11-28T16:41:49.955765Z','01a22308-d083-7c35-92ed-3e714213ce7f',2,1,'Order','o-2','Paid',X'7b226d6574686f64223a2263617264222c2274616773223a7b2262616e6b223a224bc3b66c6e227d7d',NULL,NULL,NULL,NULL);
CREATE TABLE IF NOT EXISTS "consumer_checkpoints" ( -- How far each consumer of the event log is.
    consumer        text not null,              -- Name of the consumer.
    segment         integer not null,           -- Number of the segment, from 0.
    segments        integer not null,           -- How many the consumer has; the same in each of its rows.
    position        integer not null default 0, -- Every event of the segment up to here is handled.
    handled         text,                       -- After a change of segments, JSON: where each former one was.
    failures        integer not null default 0, -- Attempts at the next batch that failed so far.
    failed_position integer,                    -- global_position of the event that last_error is about.
    last_error      text,                       -- What went wrong at the last failure.
    retry_at        text,                       -- After a failure: not claimed before this time.
    stopped_at      text,                       -- Since when the segment is stopped; null while it runs.
    updated_at      text not null,              -- When the row last changed.
    constraint "consumer_checkpoints_pkey" primary key (consumer, segment),
    constraint "consumer_checkpoints_segment_check" check (segment >= 0 and segment < segments),
    constraint "consumer_checkpoints_position_check" check (position >= 0)
) strict, without rowid;
INSERT INTO consumer_checkpoints VALUES('totals',0,2,4,NULL,0,NULL,NULL,NULL,NULL,'2026-11-28T16:41:49.950396Z');
INSERT INTO consumer_checkpoints VALUES('totals',1,2,4,NULL,0,NULL,NULL,NULL,NULL,'2026-11-28T16:41:49.951307Z');
CREATE TABLE IF NOT EXISTS "parked_events" ( -- Events that a consumer set aside.
    consumer        text not null,    -- Name of the consumer.
    global_position integer not null, -- The event, by its place in the log.
    aggregate_type  text not null,    -- As in the event log.
    aggregate_id    text not null,    -- As in the event log.
    attempts        integer not null, -- How often it was tried; 0 if it only waits behind an earlier one.
    error           text not null,    -- What went wrong at the last attempt; empty if there was none.
    parked_at       text not null,    -- When it was set aside.
    constraint "parked_events_pkey" primary key (consumer, global_position),
    constraint "parked_events_attempts_check" check (attempts >= 0)
) strict, without rowid;
INSERT INTO parked_events VALUES('totals',4,'Order','o-3',1,'no rate for USD','2026-11-28T16:41:49.950310Z');
CREATE TABLE totals (customer text primary key, cents bigint not null, orders bigint not null);
INSERT INTO totals VALUES('Ada',1790,2);
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('events',6);
CREATE INDEX "parked_events_aggregate_id_idx" on "parked_events" (aggregate_id);
COMMIT;
