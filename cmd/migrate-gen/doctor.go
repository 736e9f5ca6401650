package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/internal/cli"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/doctor"
	"github.com/eventmap/eventmap/internal/logcheck"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// diagnose compares a database with the options and prints what is wrong, as SQL: each finding is a comment that begins with
// three dashes, with the statements below that mend it. It changes nothing.
func (s *settings) diagnose(ctx context.Context, command cli.Command) (code int) {
	d, checks, err := s.checks()
	if err != nil {
		return command.Fail(err)
	}
	conn, err := pgx.Connect(ctx, s.dsn)
	if err != nil {
		return command.Fail(fmt.Errorf("database: %w", err))
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	findings, err := examine(ctx, conn, d, checks)
	if err != nil {
		return command.Fail(err)
	}
	if s.forgotten != "" {
		list, err := readForgotten(s.forgotten)
		if err != nil {
			return command.Fail(err)
		}
		wrong, err := remembered(ctx, conn, d, list)
		if err != nil {
			return command.Fail(err)
		}
		findings = append(findings, wrong...)
	}
	var deepErr error
	if s.deep {
		var wrong []logcheck.Finding
		wrong, deepErr = logcheck.Read(ctx, conn, logcheck.Log{Events: d.Events, Heads: d.Heads, Logs: d.EventLogs, UniqueIDs: !d.Partitioned()}, progress(command))
		// What was sampled is known better now.
		sampled := func(f logcheck.Finding) bool {
			return slices.ContainsFunc(wrong, func(w logcheck.Finding) bool { return w.Object == f.Object })
		}
		findings = append(slices.DeleteFunc(findings, sampled), wrong...)
	}
	if code := command.Print(report(findings)); code != cli.Done {
		return code
	}
	if deepErr != nil {
		return command.Fail(fmt.Errorf("read the log: %w", deepErr))
	}
	if len(findings) > 0 {
		return cli.Different
	}
	return cli.Done
}

// report returns findings as SQL. A name in a log may hold anything, but no line of its own.
func report(findings []logcheck.Finding) string {
	var b strings.Builder
	for _, f := range findings {
		line := fmt.Sprintf("--- %s %s", f.Object, f.Reason)
		if f.Remedy != "" {
			line += "; " + f.Remedy
		}
		b.WriteString(strings.NewReplacer("\n", `\n`, "\r", `\r`).Replace(line) + "\n")
		for _, statement := range f.Statements {
			b.WriteString(statement + "\n")
		}
	}
	return b.String()
}

// progress says on standard error how far the reading of a log is, now and then and when a step is done.
func progress(command cli.Command) logcheck.Progress {
	start := time.Now()
	last := start
	return func(step string, read, estimate int64, done bool) {
		if !done && time.Since(last) < 5*time.Second {
			return
		}
		last = time.Now()
		of := ""
		if !done && estimate > read {
			of = fmt.Sprintf(" of about %d", estimate)
		}
		_, _ = fmt.Fprintf(command.Stderr, "%s: %s: %d%s events read, %s\n", command.Name, step, read, of, time.Since(start).Round(time.Second))
	}
}

// checks returns what the database should be like, events of earlier runs included, and what to ask it.
func (s *settings) checks() (design.Design, []doctor.Check, error) {
	writer, d, err := s.plan()
	if err != nil {
		return d, nil, err
	}
	if d, err = writer.Known(d, s.files); err != nil {
		return d, nil, err
	}
	checks, err := doctor.Checks(d)
	return d, checks, err
}

// examine returns what is wrong: first by the design, then by what every store needs, of what was not named yet.
func examine(ctx context.Context, conn *pgx.Conn, d design.Design, checks []doctor.Check) ([]logcheck.Finding, error) {
	var all []logcheck.Finding
	for _, check := range checks {
		if about(all, check.Object) {
			continue
		}
		rows, err := conn.Query(ctx, check.Query, check.Args...)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", check.Object, err)
		}
		statements, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", check.Object, err)
		}
		if len(statements) == 0 {
			continue
		}
		f := logcheck.Finding{Object: check.Object, Reason: check.Reason}
		if f.Statements = slices.DeleteFunc(statements, func(s string) bool { return s == "" }); len(f.Statements) == 0 {
			f.Remedy = "run the migrations, or take the options that it was made with"
		}
		all = append(all, f)
	}
	var problems *runtime.CheckError
	err := checkStore(ctx, conn, d)
	if err != nil && !errors.As(err, &problems) {
		return nil, err
	}
	if problems != nil {
		byOptions := all
		for _, p := range problems.Problems {
			switch {
			case about(byOptions, p.Object):
			case p.Statement != "":
				all = append(all, logcheck.Finding{Object: p.Object, Reason: p.Reason, Statements: []string{p.Statement}})
			default:
				all = append(all, logcheck.Finding{Object: p.Object, Reason: p.Reason, Remedy: p.Remedy})
			}
		}
	}
	return all, nil
}

// checkStore asks for what the runtime needs of the database, which is a log or has nothing but keys.
func checkStore(ctx context.Context, conn *pgx.Conn, d design.Design) error {
	if d.OnlySubjectKeys() {
		return postgres.CheckKeys(ctx, conn, postgres.WithSubjectKeysTable(d.SubjectKeys.String()))
	}
	return postgres.Check(ctx, conn, postgres.Config{
		EventsTable:         d.Events.String(),
		AggregateHeadsTable: d.Heads.String(),
		Payload:             postgres.PayloadType(d.Payload),
		Layout:              layoutOf(d.Logs),
		EventLogsTable:      d.EventLogs.String(),
	})
}

// layoutOf returns what a store has to be told of how events are spread over logs.
func layoutOf(l design.Logs) postgres.Layout {
	layout := postgres.OneLog
	switch {
	case l.Hashed > 0:
		layout = postgres.HashedLogs(l.Hashed)
	case l.Many():
		layout = postgres.ManyLogs
	}
	if l.Citus {
		layout = layout.OnCitus()
	}
	return layout
}

// about reports whether one of the findings is about the object.
func about(findings []logcheck.Finding, object string) bool {
	return slices.ContainsFunc(findings, func(f logcheck.Finding) bool { return f.Object == object })
}
