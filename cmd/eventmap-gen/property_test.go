package main

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"github.com/eventmap/eventmap/internal/cli"

	"github.com/eventmap/eventmap/internal/cli/clitest"
)

// domainCount is how many random domains one check of TestRun_randomDomains takes. They lie in one module, so that the
// go command builds all of them at once. A long run: -run randomDomains -domains 60 -rapid.checks 50 -rapid.seed 0 -timeout 2h.
var domainCount = flag.Int("domains", 6, "random domains in a check of the property test")

// Whatever a domain looks like, either the command refuses it, naming the place, or what it writes is the same each time,
// formatted, and passes vet and its own tests.
func TestRun_randomDomains(t *testing.T) {
	t.Parallel()
	repo, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	kinds, err := os.ReadFile("testdata/kinds/kinds.go")
	if err != nil {
		t.Fatal(err)
	}
	var accepted, refused int
	rapid.Check(t, func(rt *rapid.T) {
		m := domainModule{root: t.TempDir()}
		defer func() { _ = os.RemoveAll(m.root) }() // the next check is in need of the room
		if err := clitest.WriteModule(m.root, modulePath, repo); err != nil {
			rt.Fatal(err)
		}
		m.write(rt, "kinds/kinds.go", string(kinds))
		index := 0
		domains := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) *domain {
			index++
			return drawDomain(t, fmt.Sprintf("d%d", index))
		}), *domainCount, *domainCount).Draw(rt, "domains")
		var group errgroup.Group
		group.SetLimit(runtime.GOMAXPROCS(0))
		taken := make([]bool, len(domains))
		for i, d := range domains {
			for _, name := range slices.Sorted(maps.Keys(d.Files)) {
				m.write(rt, name, d.Files[name])
			}
			group.Go(func() (err error) {
				taken[i], err = m.generate(d)
				return err
			})
		}
		if err := group.Wait(); err != nil {
			rt.Fatal(err)
		}
		for _, was := range taken {
			if was {
				accepted++
			} else {
				refused++
			}
		}
		for _, args := range [][]string{{"vet", "./..."}, {"test", "-vet=off", "./..."}} {
			if out, err := m.run(args...); err != nil {
				out = soundLine.ReplaceAllString(out, "")
				rt.Fatalf("go %s: %v\n%s\n%s", strings.Join(args, " "), err, out, m.sources(domains, out))
			}
		}
	})
	t.Logf("%d domains accepted, %d refused", accepted, refused)
}

// soundLine matches the lines of go test about packages with which all is well.
var soundLine = regexp.MustCompile(`(?m)^(ok  |\?   )\t.*\n`)

// A domainModule is the module that random domains are written to.
type domainModule struct{ root string }

func (m domainModule) path(name string) string {
	return filepath.Join(m.root, filepath.FromSlash(name))
}

func (m domainModule) write(t *rapid.T, name, text string) {
	if err := os.MkdirAll(filepath.Dir(m.path(name)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(m.path(name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// run runs the go command in the module.
func (m domainModule) run(args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = m.root
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// sources returns what the domains that a text speaks of look like.
func (m domainModule) sources(domains []*domain, text string) string {
	var b strings.Builder
	for _, d := range domains {
		if strings.Contains("\n"+text, "\n"+d.Dir+"/") || strings.Contains(text, "/"+d.Dir+"/") {
			b.WriteString(d.String())
		}
	}
	return b.String()
}

// String returns the domain as a txtar archive, which is how it becomes a script.
func (d *domain) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "eventmap-gen %s\n", strings.Join(d.args(""), " "))
	for _, name := range slices.Sorted(maps.Keys(d.Files)) {
		fmt.Fprintf(&b, "-- %s --\n%s", name, d.Files[name])
	}
	return b.String()
}

func (d *domain) args(root string) []string {
	return append([]string{"--convention", "--input", filepath.Join(root, d.Dir), "--output", filepath.Join(root, d.Output)}, d.Flags...)
}

// generate runs the command on a domain and checks everything about the outcome that needs no go command. A domain that
// it rightly refused is taken off the module.
func (m domainModule) generate(d *domain) (accepted bool, err error) {
	fail := func(format string, args ...any) (bool, error) {
		return false, fmt.Errorf(format+"\n%v", append(args, d)...)
	}
	var stdout, stderr bytes.Buffer
	code := run(d.args(m.root), &stdout, &stderr)
	if code == 2 {
		if err := m.checkRefusal(d, stderr.String()); err != nil {
			return fail("%w:\n%s", err, &stderr)
		}
		return false, os.RemoveAll(m.path(d.Dir))
	}
	if code == cli.Different { // it asks whether a struct is an event
		if err := m.checkQuestions(d, stderr.String()); err != nil {
			return fail("%w:\n%s", err, &stderr)
		}
		for name := range d.Files {
			if err := os.Remove(m.path(name)); err != nil {
				return fail("%v", err)
			}
		}
		return false, nil
	}
	if code != 0 || d.Faulty {
		return fail("exit code %d, faulty = %t\n%s", code, d.Faulty, &stderr)
	}
	for line := range strings.Lines(stderr.String()) {
		if !warningLine.MatchString(line) && !strings.HasPrefix(line, "+ ") {
			return fail("it says, though all is well: %s", line)
		}
	}
	for name := range strings.Lines(stdout.String()) {
		if name = strings.TrimSpace(name); filepath.Ext(name) != ".go" {
			continue // a sample payload, or the schema lock
		}
		if err := checkFormatted(name); err != nil {
			return fail("%w", err)
		}
	}
	stdout.Reset()
	if code := run(append(d.args(m.root), "--check"), &stdout, &stderr); code != 0 {
		return fail("a second run is not of the same opinion: exit code %d\n%s%s", code, &stdout, &stderr)
	}
	return true, nil
}

var (
	problemLine   = regexp.MustCompile(`^.+\.go:\d+:\d+: .+\n$`)
	warningLine   = regexp.MustCompile(`^.+\.go:\d+:\d+: warning: .+ \[(no-upcaster|version-gap|personal-older|personal-newer|forget-newer)\]\n$`)
	collisionLine = regexp.MustCompile(` needs the name | is declared here, and (is generated too|generated code means Go's own)|` +
		`has the same name in JSON but for the case of letters|has personal fields and marshals itself|the mark stands on a field that is in no event's JSON`)
)

// checkRefusal checks that a refusal is called for and says where: at the fault, or, in a domain without one, that two
// generated names collide. It leaves nothing behind.
func (m domainModule) checkRefusal(d *domain, said string) error {
	atFault := false
	for line := range strings.Lines(said) {
		if !problemLine.MatchString(line) {
			return fmt.Errorf("refused without a place")
		}
		if !d.Faulty && !collisionLine.MatchString(line) {
			return fmt.Errorf("refused without reason")
		}
		file, rest, _ := strings.Cut(line, ".go:")
		number, _, _ := strings.Cut(rest, ":")
		atFault = atFault || d.isFault(strings.TrimPrefix(file, m.root+"/")+".go", number) || faultyField.MatchString(line)
	}
	if d.Faulty && !atFault && !collisionLine.MatchString(said) { // which keeps what is generated from being looked at
		return fmt.Errorf("the fault is not named")
	}
	return m.checkUnwritten(d)
}

// faultyField matches what is said of a fault that the convention does not take for data.
var faultyField = regexp.MustCompile(`\bits field (?i:faulty) |none of its fields is exported`)

// questionLine matches a question, with the reason that there is for it.
var questionLine = regexp.MustCompile(`^\? .+\.go:\d+:\d+: is \S+ an event\? (.+); if it is none, mark it .+\n$`)

// checkQuestions checks that a run that exits 1 asks about something that may well be no event: in a domain without a fault, a
// struct that another has as a field. It leaves nothing behind.
func (m domainModule) checkQuestions(d *domain, said string) error {
	asked := false
	for line := range strings.Lines(said) {
		if strings.HasPrefix(line, "+ ") || warningLine.MatchString(line) {
			continue
		}
		question := questionLine.FindStringSubmatch(line)
		switch {
		case question == nil:
			return fmt.Errorf("it says, beside questions: %s", line)
		case d.Faulty && faultyField.MatchString(question[1]), strings.HasSuffix(question[1], " has it as a field"):
			asked = true
		default:
			return fmt.Errorf("it asks without reason: %s", line)
		}
	}
	if !asked {
		return fmt.Errorf("exit code 1 without a question")
	}
	return m.checkUnwritten(d)
}

// checkUnwritten checks that a run that was not to write anything has left the output folder alone.
func (m domainModule) checkUnwritten(d *domain) error {
	entries, err := os.ReadDir(m.path(d.Output))
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	for _, entry := range entries {
		if name := path.Join(d.Output, entry.Name()); !entry.IsDir() && d.Files[name] == "" {
			return fmt.Errorf("%s was written", name)
		}
	}
	return nil
}

// isFault reports whether the numbered line of a file holds the domain's fault.
func (d *domain) isFault(file, number string) bool {
	n := 0
	for line := range strings.Lines(d.Files[file]) {
		if n++; fmt.Sprint(n) == number {
			return strings.HasSuffix(line, "// fault\n")
		}
	}
	return false
}
