package sqlcode_test

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/eventmap/eventmap/internal/gen/sqlcode"
)

// ways finds the way up and the way down in the files of a migration, as each tool does whose program is not run by the
// tests of cmd/migrate-gen/runners.
var ways = map[string]func(files map[string]string, name string) (up, down string){
	"dbmate": func(files map[string]string, name string) (up, down string) {
		parts := regexp.MustCompile(`(?m)^-- migrate:(?:up|down)(?: transaction:false)?$`).Split(files[name], -1)
		return parts[1], parts[2]
	},
	"flyway": func(files map[string]string, name string) (up, down string) {
		return files[name], files["U"+strings.TrimPrefix(name, "V")]
	},
}

// What is written for a tool that cannot be had here runs on PostgreSQL: up by four changes, down, and up again.
func TestNext_runsAsOtherToolsWouldRunIt(t *testing.T) {
	t.Parallel()
	for format, way := range ways {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			conn := connect(t)
			folder, files := sqlcode.Folder{}, map[string]string{}
			var names []string
			var last sqlcode.Options
			for _, o := range []sqlcode.Options{
				{},
				{Domain: indexed(domain("Placed"), "")},
				{Domain: indexed(domain("Placed", "Paid"), "using=hash"), Strict: true},
				{Indexes: sqlcode.IndexNames, AppendOnly: true},
				{Payload: "jsonb", Schema: "shop"},
				{Schema: "shop", Partition: "range", Indexes: sqlcode.IndexNames[:1]},
			} {
				last = o
				o.Format = format
				written, err := sqlcode.Next(o, folder, false)
				if err != nil {
					t.Fatal(err)
				}
				for _, file := range written {
					folder[file.Path], files[file.Path] = file.Content, string(file.Content)
					if strings.HasSuffix(file.Path, ".sql") && !strings.HasPrefix(file.Path, "U") {
						names = append(names, file.Path)
					}
				}
			}
			if len(names) < 6 || !slices.IsSortedFunc(names, byNumber) {
				t.Fatalf("migrations %q: want at least 6, in the order in which they run", names)
			}
			want := fresh(t, last)
			for _, name := range names {
				up, _ := way(files, name)
				exec(t, conn, up)
			}
			if diff := compare(want, catalog(t, conn)); diff != "" {
				t.Errorf("up (-one migration +step by step):\n%s", diff)
			}
			for _, name := range slices.Backward(names) {
				_, down := way(files, name)
				exec(t, conn, down)
			}
			if diff := compare([]string{}, catalog(t, conn)); diff != "" {
				t.Errorf("left by the way down:\n%s", diff)
			}
		})
	}
}

var firstNumber = regexp.MustCompile(`[0-9]+`)

// byNumber orders migrations as their tools do, for which V10 comes after V9.
func byNumber(a, b string) int {
	x, _ := strconv.Atoi(firstNumber.FindString(a))
	y, _ := strconv.Atoi(firstNumber.FindString(b))
	return cmp.Compare(x, y)
}
