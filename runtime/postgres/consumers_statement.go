package postgres

import (
	"embed"
	"fmt"
	"strings"
	"text/template"
)

// consumerStatements are the SQL texts of Consumers, constant for their life.
type consumerStatements struct {
	frontier        string
	poll            string
	positionAt      string
	holders         string
	create          string
	claimAny        string
	claim           string
	save            string
	hurry           string // for a commit that need not wait for the disk
	checkpoints     string
	lock            string
	lockCheckpoints string
	stop            string
	replace         string
	remove          string
	read            string
	lag             string
	events          string
	park            string
	unpark          string
	parked          string
	parkedStreams   string
	countParked     string
	anyParked       string
	logs            consumerLogStatements
	nodes           nodeStatements
}

//go:embed sql/parts.sql sql/frontier.sql sql/consumer/*.sql sql/inspect/position_at.sql
var consumerFiles embed.FS

// renderConsumers returns the statements for the tables; see render.
func renderConsumers(t consumerTables, payload PayloadType) (consumerStatements, error) {
	parsed, err := template.ParseFS(consumerFiles, "sql/*.sql", "sql/consumer/*.sql", "sql/inspect/*.sql")
	if err != nil {
		return consumerStatements{}, fmt.Errorf("embedded SQL: %w", err)
	}
	type consumerVariant struct {
		variant
		Checkpoints, Parked string
		Any, Lock, IsJSON   bool
		Apart               bool   // the logs are on nodes, and the checkpoints are not
		What                string // is claimed
	}
	plain := consumerVariant{
		variant: variant{
			Events:   t.events.Quoted(),
			Heads:    t.heads.Quoted(),
			Sequence: t.events.Sequence().Quoted(),
			Logs:     t.quotedLogs(),
			Payload:  payload,
		},
		Checkpoints: t.checkpoints.Quoted(),
		Parked:      t.parked.Quoted(),
		IsJSON:      payload.isJSON(),
		What:        "segment",
	}
	if t.areMany() {
		plain.What = "log"
	}
	nodes := plain
	if t.citus {
		plain.Apart, plain.Logs = true, givenLogs
	}
	anyOne, locked, oneLog := plain, plain, nodes
	anyOne.Any = true
	locked.Lock = true
	oneLog.Single = true

	var s consumerStatements
	for _, part := range []struct {
		text *string
		file string
		with consumerVariant
	}{
		{&s.frontier, "frontier.sql", plain},
		{&s.poll, "poll.sql", plain},
		{&s.positionAt, "position_at.sql", plain},
		{&s.holders, "holders.sql", plain},
		{&s.create, "create.sql", plain},
		{&s.claimAny, "claim.sql", anyOne},
		{&s.claim, "claim.sql", plain},
		{&s.save, "save.sql", plain},
		{&s.checkpoints, "checkpoints.sql", plain},
		{&s.lock, "lock.sql", plain},
		{&s.lockCheckpoints, "checkpoints.sql", locked},
		{&s.stop, "stop.sql", plain},
		{&s.replace, "replace.sql", plain},
		{&s.remove, "remove.sql", plain},
		{&s.read, "read.sql", plain},
		{&s.lag, "lag.sql", plain},
		{&s.events, "events.sql", plain},
		{&s.park, "park.sql", plain},
		{&s.unpark, "unpark.sql", plain},
		{&s.parked, "parked.sql", plain},
		{&s.parkedStreams, "parked_streams.sql", plain},
		{&s.logs.poll, "poll_logs.sql", plain},
		{&s.logs.adopt, "adopt.sql", plain},
		{&s.logs.reached, "reached.sql", plain},
		{&s.logs.ends, "log_ends.sql", nodes},
		{&s.logs.standing, "logs_standing.sql", plain},
		{&s.logs.foremost, "logs_foremost.sql", plain},
		{&s.nodes.place, "places.sql", oneLog},
		{&s.nodes.places, "places.sql", nodes},
		{&s.nodes.starts, "starts.sql", nodes},
		{&s.nodes.introduce, "introduce.sql", plain},
		{&s.nodes.adopt, "adopt_given.sql", plain},
	} {
		var b strings.Builder
		if err := parsed.ExecuteTemplate(&b, part.file, part.with); err != nil {
			return consumerStatements{}, fmt.Errorf("embedded SQL: %w", err)
		}
		*part.text = numbered(b.String())
	}
	s.hurry = "-- eventmap: do not wait for the disk\nset local synchronous_commit to off"
	s.countParked = "-- eventmap: count parked events\nselect count(*) from " + plain.Parked + " where consumer = $1::text"
	if t.areMany() {
		s.logs.end = "-- eventmap: how far a log is\nselect coalesce((select position from " + nodes.Logs + " where log = $1::text), 0)"
	}
	s.anyParked = "-- eventmap: are there parked events\nselect exists (select from " + plain.Parked + " where consumer = $1::text)"
	return s, nil
}
