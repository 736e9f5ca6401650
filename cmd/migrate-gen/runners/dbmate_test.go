package runners_test

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// dbmate is a program and no module that could be had here, so it is run where it is on PATH.
var dbmate = runner{
	format:  "dbmate",
	table:   "schema_migrations",
	program: "dbmate",
	up: func(ctx context.Context, dsn, folder string) error {
		return runDbmate(ctx, dsn, folder, "migrate")
	},
	down: func(ctx context.Context, dsn, folder string) error {
		for {
			err := runDbmate(ctx, dsn, folder, "rollback")
			if err != nil && strings.Contains(err.Error(), "no migrations have been applied") {
				return nil
			}
			if err != nil {
				return err
			}
		}
	},
}

func runDbmate(ctx context.Context, dsn, folder, command string) error {
	out, err := exec.CommandContext(ctx, "dbmate", "--url", dsn, "--migrations-dir", folder, "--no-dump-schema", command).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}
