package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/logcheck"
	"github.com/eventmap/eventmap/runtime/privacy"
)

// readForgotten reads a list of forgotten subjects: JSON objects, one after the other.
func readForgotten(name string) ([]privacy.ForgottenSubject, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("--forgotten: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	decoder := json.NewDecoder(file)
	decoder.DisallowUnknownFields()
	var list []privacy.ForgottenSubject
	for {
		var f privacy.ForgottenSubject
		switch err := decoder.Decode(&f); {
		case errors.Is(err, io.EOF):
			return list, nil
		case err != nil:
			return nil, fmt.Errorf("--forgotten %s: entry %d: %w", name, len(list)+1, err)
		case f.Subject == "" || f.KeyID == uuid.Nil || f.Generation < 1:
			return nil, fmt.Errorf("--forgotten %s: entry %d has no subject, key_id or generation", name, len(list)+1)
		}
		list = append(list, f)
	}
}

// remembered returns a finding for each key of a list that a database has still, or does not know, as after a restore.
func remembered(ctx context.Context, conn *pgx.Conn, d design.Design, list []privacy.ForgottenSubject) ([]logcheck.Finding, error) {
	if !d.HasSubjectKeys() {
		return nil, errors.New("--forgotten: there is no table of keys here; see --subject-keys")
	}
	var findings []logcheck.Finding
	for batch := range slices.Chunk(list, 1000) {
		ids := make([]string, len(batch))
		for i := range batch {
			ids[i] = batch[i].KeyID.String()
		}
		rows, err := conn.Query(ctx, "-- eventmap doctor: which keys are forgotten\nselect key_id::text, wrapped is null from "+
			d.SubjectKeys.Quoted()+" where key_id = any ($1::text[]::uuid[])", ids)
		if err != nil {
			return nil, fmt.Errorf("forgotten keys: %w", err)
		}
		forgotten := make(map[string]bool, len(batch))
		var id string
		var erased bool
		if _, err := pgx.ForEachRow(rows, []any{&id, &erased}, func() error { forgotten[id] = erased; return nil }); err != nil {
			return nil, fmt.Errorf("forgotten keys: %w", err)
		}
		for i, f := range batch {
			erased, known := forgotten[ids[i]]
			if erased {
				continue
			}
			findings = append(findings, finding(d, f, known))
		}
	}
	return findings, nil
}

// finding returns what is wrong with a key that should be forgotten, and the statement that mends it.
func finding(d design.Design, f privacy.ForgottenSubject, known bool) logcheck.Finding {
	found := logcheck.Finding{Object: fmt.Sprintf("key %s of subject %q", f.KeyID, f.Subject)}
	if known {
		found.Reason = "is there, and the list says that it was forgotten: its data can be read again"
		found.Statements = []string{fmt.Sprintf("update %s set wrapped = null, wrapped_by = null, forgotten_at = now() where key_id = '%s' and wrapped is not null;",
			d.SubjectKeys.Quoted(), f.KeyID)}
		if d.HasSnapshots() {
			found.Statements = append(found.Statements, fmt.Sprintf("delete from %s where key_ids && array['%s'];", d.Snapshots.Quoted(), f.KeyID))
		}
		return found
	}
	found.Reason = "is not known, and the list says that it was forgotten: its subject would get a new one"
	found.Statements = []string{fmt.Sprintf("insert into %s (key_id, subject, generation, forgotten_at) values ('%s', '%s', %d, now()) on conflict do nothing;",
		d.SubjectKeys.Quoted(), f.KeyID, strings.ReplaceAll(f.Subject, "'", "''"), f.Generation)}
	return found
}
