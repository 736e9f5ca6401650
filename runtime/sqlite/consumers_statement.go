package sqlite

import "embed"

// consumerStatements are the SQL texts of Consumers, constant for their life.
type consumerStatements struct {
	poll          string
	positionAt    string
	create        string
	claimAny      string
	claim         string
	save          string
	checkpoints   string
	stop          string
	replace       string
	remove        string
	read          string
	lag           string
	events        string
	park          string
	unpark        string
	parked        string
	parkedStreams string
	countParked   string
	anyParked     string
}

//go:embed sql/parts.sql sql/consumer/*.sql sql/inspect/position_at.sql
var consumerFiles embed.FS

// renderConsumers returns the statements for the tables; see render.
func renderConsumers(t tables) (consumerStatements, error) {
	plain := variant{tables: t}
	anyOne := plain
	anyOne.Any = true
	var s consumerStatements
	err := fill(consumerFiles, []part{
		{&s.poll, "poll.sql", plain},
		{&s.positionAt, "position_at.sql", plain},
		{&s.create, "create.sql", plain},
		{&s.claimAny, "claim.sql", anyOne},
		{&s.claim, "claim.sql", plain},
		{&s.save, "save.sql", plain},
		{&s.checkpoints, "checkpoints.sql", plain},
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
		{&s.countParked, "count_parked.sql", plain},
		{&s.anyParked, "any_parked.sql", plain},
	}, "sql/*.sql", "sql/consumer/*.sql", "sql/inspect/*.sql")
	return s, err
}
