// Command figures writes the table of docs/figures.md from what make bench printed.
//
//	make bench >bench.txt && go run ./runtime/postgres/internal/figures bench.txt docs/figures.md
//
// The table stands between two comments of the page; what else the page says is left as it is.
package main

import (
	"fmt"
	"os"
	"strings"
)

const (
	begin = "<!-- What make bench printed: written by runtime/postgres/internal/figures. -->\n"
	end   = "<!-- The end of what make bench printed. -->\n"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: figures OUTPUT PAGE")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "figures:", err)
		os.Exit(1)
	}
}

func run(output, path string) error {
	printed, err := os.ReadFile(output)
	if err != nil {
		return err
	}
	page, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	rows, machine := read(string(printed))
	if len(rows) == 0 {
		return fmt.Errorf("%s: there are no figures in it", output)
	}
	written, err := replace(string(page), table(machine, rows))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, []byte(written), 0o644) //nolint:gosec // a page that everybody may read
}

// replace returns the page with another table.
func replace(page, table string) (string, error) {
	before, rest, began := strings.Cut(page, begin)
	_, after, ended := strings.Cut(rest, end)
	if !began || !ended {
		return "", fmt.Errorf("it lacks the comments %q and %q, between which the table stands", strings.TrimSpace(begin), strings.TrimSpace(end))
	}
	return before + begin + table + end + after, nil
}

// table returns the rows as Markdown.
func table(machine []string, rows []row) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\nMeasured on: %s.\n\n", strings.Join(machine, "; "))
	b.WriteString("| what | sides | ratio | goal | |\n|---|---|---|---|---|\n")
	for _, r := range rows {
		goals := r.goals
		if len(goals) == 0 {
			goals = []goal{{}}
		}
		for i, g := range goals {
			what, sides := r.name, strings.Join(r.sides, "<br>")
			if i > 0 {
				what, sides = "", ""
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", what, sides, g.ratio, g.want, g.verdict)
		}
	}
	b.WriteString("\n")
	return b.String()
}
