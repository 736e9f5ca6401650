package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/internal/cli"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/doctor"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// A finding is something about a database that is not as the options want it.
type finding struct {
	object, reason string
	remedy         string   // in words, if there is no statement
	statements     []string // that mend it
}

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
	var report strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&report, "--- %s %s", f.object, f.reason)
		if f.remedy != "" {
			fmt.Fprintf(&report, "; %s", f.remedy)
		}
		report.WriteByte('\n')
		for _, statement := range f.statements {
			report.WriteString(statement + "\n")
		}
	}
	if code := command.Print(report.String()); code != cli.Done {
		return code
	}
	if len(findings) > 0 {
		return cli.Different
	}
	return cli.Done
}

// checks returns what the database should be like, events of earlier runs included, and what to ask it.
func (s *settings) checks() (design.Design, []doctor.Check, error) {
	folder, err := readFolder(s.folder)
	if err != nil {
		return design.Design{}, nil, err
	}
	writer, d, err := s.plan()
	if err != nil {
		return d, nil, err
	}
	if d, err = writer.Known(d, folder); err != nil {
		return d, nil, err
	}
	checks, err := doctor.Checks(d)
	return d, checks, err
}

// examine returns what is wrong: first by the design, then by what every store needs, of what was not named yet.
func examine(ctx context.Context, conn *pgx.Conn, d design.Design, checks []doctor.Check) ([]finding, error) {
	var all []finding
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
		f := finding{object: check.Object, reason: check.Reason}
		if f.statements = slices.DeleteFunc(statements, func(s string) bool { return s == "" }); len(f.statements) == 0 {
			f.remedy = "run the migrations, or take the options that it was made with"
		}
		all = append(all, f)
	}
	var problems *runtime.CheckError
	err := postgres.Check(ctx, conn, postgres.Config{
		EventsTable:         d.Events.String(),
		AggregateHeadsTable: d.Heads.String(),
		Payload:             postgres.PayloadType(d.Payload),
	})
	if err != nil && !errors.As(err, &problems) {
		return nil, err
	}
	if problems != nil {
		byOptions := all
		for _, p := range problems.Problems {
			switch {
			case about(byOptions, p.Object):
			case p.Statement != "":
				all = append(all, finding{object: p.Object, reason: p.Reason, statements: []string{p.Statement}})
			default:
				all = append(all, finding{object: p.Object, reason: p.Reason, remedy: p.Remedy})
			}
		}
	}
	return all, nil
}

// about reports whether one of the findings is about the object.
func about(findings []finding, object string) bool {
	return slices.ContainsFunc(findings, func(f finding) bool { return f.object == object })
}
