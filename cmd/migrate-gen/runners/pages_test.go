package runners_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/pgtest"
)

// pages are the pages of docs/migrations whose commands are run, with the table in which the tool notes what it ran.
var pages = []struct {
	format, table string
	need          func(t *testing.T) // as that of a runner
}{
	{format: "plain", need: needPrograms("psql")},
	{format: "goose", table: "goose_db_version"},
	{format: "golang-migrate", table: "schema_migrations"},
	{format: "tern", table: "schema_version"},
	{format: "dbmate", table: "schema_migrations", need: needDbmate},
}

// commands finds the commands in a page.
var commands = regexp.MustCompile("(?s)```sh\n(.*?)```")

// What a page says is what happens: its commands are run from top to bottom, as they stand there, and come to the
// database that plain SQL makes.
func TestPages_commandsRun(t *testing.T) {
	t.Parallel()
	for _, p := range pages {
		t.Run(p.format, func(t *testing.T) {
			t.Parallel()
			if p.need != nil {
				p.need(t)
			}
			folder, err := programs()
			if err != nil {
				t.Fatal(err)
			}
			page, err := os.ReadFile(filepath.Join("../../../docs/migrations", p.format+".md"))
			if err != nil {
				t.Fatal(err)
			}
			blocks := commands.FindAllStringSubmatch(string(page), -1)
			if len(blocks) < 5 {
				t.Fatalf("%d blocks of commands, want at least 5", len(blocks))
			}
			dsn, work := pgtest.New(t), t.TempDir()
			for _, block := range blocks {
				cmd := exec.CommandContext(t.Context(), "sh", "-eu", "-c", block[1])
				cmd.Dir = work
				cmd.Env = append(os.Environ(), "PATH="+folder+":"+os.Getenv("PATH"), "DATABASE_URL="+dsn)
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("%s%v\n%s", block[1], err, out)
				}
			}
			want := plain(t, design.Options{AppendOnly: true, Indexes: []string{"event-type"}})
			got := catalog(t, dsn)
			if p.table != "" {
				got = without(p.table, got)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-plain SQL +%s):\n%s", p.format, diff)
			}
		})
	}
}
