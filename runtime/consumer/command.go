package consumer

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	ossignal "os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

// Main runs the command in the arguments of the program over the consumers of a runner, and exits: 0 if all is well, 1 after an
// error, 2 after wrong arguments. It makes a small command to operate consumers with:
//
//	func main() {
//		... // the runner of your service, with the same registrations
//		consumer.Main(runner, consumer.Clears[pgx.Tx]{"customers": clearCustomers})
//	}
//
// Without arguments it prints its manual. clears says how to empty what the handlers of a consumer have written, for a reset;
// nil if there is nothing to empty. The database is used as by the runner, which need not run, here or elsewhere.
func Main[Tx any](r *Runner[Tx], clears Clears[Tx]) {
	ctx, stop := ossignal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := Command(ctx, r, clears, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// Clears are functions that empty what the handlers of consumers have written, by the names of the consumers; see
// [Runner.Reset].
type Clears[Tx any] map[string]func(ctx context.Context, tx Tx) error

// Command is [Main] with the arguments and the outputs given, and returns the exit code.
func Command[Tx any](ctx context.Context, r *Runner[Tx], clears Clears[Tx], args []string, stdout, stderr io.Writer) int {
	c := command[Tx]{runner: r, clears: clears, out: stdout}
	flags := flag.NewFlagSet("consumers", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.BoolVar(&c.json, "json", false, "")
	flags.BoolVar(&c.check, "check", false, "")
	flags.BoolVar(&c.yes, "yes", false, "")
	flags.IntVar(&c.limit, "limit", 100, "")
	flags.Int64Var(&c.after, "after", 0, "")
	flags.StringVar(&c.log, "log", "", "")
	words, err := parseAnywhere(flags, args)
	switch {
	case errors.Is(err, flag.ErrHelp), err == nil && len(words) == 0:
		_, _ = io.WriteString(stdout, manual)
		return 0
	case err == nil:
		err = c.run(ctx, words[0], words[1:])
	default:
		err = usageError{err.Error()}
	}
	var usage usageError
	switch {
	case errors.As(err, &usage):
		_, _ = fmt.Fprintf(stderr, "%v\nrun it without arguments for its manual\n", err)
		return 2
	case err != nil:
		_, _ = fmt.Fprintln(stderr, withoutRepetition(err.Error()))
		return 1
	}
	return 0
}

const manual = `Shows and operates the consumers of an event log.

	status [--json] [--check] [NAME]   how far each consumer is, and what keeps it
	parked [--json] [--after POSITION] [--limit N] NAME
	                                   its parked events
	retry NAME [TYPE ID]               handle its parked events again, of all streams or of one, in order
	drop NAME POSITION                 give up a parked event for good
	resume NAME                        let a stopped or paused consumer try again
	pause NAME REASON                  stop it, in every process
	reset --yes NAME                   empty what it has made, and handle the whole log again
	accept NAME POSITION               the log was restored: it has handled what the log has up to there
	resize NAME SEGMENTS               change the number of its segments
	forget --yes NAME                  remove the checkpoints of a consumer that is no more

Where there are many logs, parked, retry, drop and accept are about one of them: --log LOG.

Example, after a release that mends a consumer:

	$ consumers status customers
	CONSUMER   SEGMENT  STATE    POSITION  BEHIND  PARKED  LAST ERROR
	customers  0        stopped  4711      12      0       event 4712: permission denied for table customer_orders
	$ consumers resume customers

Exit codes: 0 done, 1 an error, or with --check a consumer that is stopped or has trouble, 2 wrong arguments.
`

// usageError is a mistake in the arguments.
type usageError struct{ text string }

func (e usageError) Error() string { return e.text }

// parseAnywhere parses flags before, between and behind the words, which it returns.
func parseAnywhere(flags *flag.FlagSet, args []string) (words []string, err error) {
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		if flags.NArg() == 0 {
			return words, nil
		}
		words, args = append(words, flags.Arg(0)), flags.Args()[1:]
	}
}

// A command is one call of Command.
type command[Tx any] struct {
	runner           *Runner[Tx]
	clears           Clears[Tx]
	out              io.Writer
	json, check, yes bool
	limit            int
	after            int64
	log              string // one of many
}

// run runs a subcommand.
func (c *command[Tx]) run(ctx context.Context, name string, args []string) error {
	subcommands := map[string]struct {
		least, most int // arguments
		confirmed   bool
		run         func(ctx context.Context, args []string) error
	}{
		"status": {0, 1, false, c.status},
		"parked": {1, 1, false, c.parked},
		"retry":  {1, 3, false, c.retry},
		"drop":   {2, 2, false, c.drop},
		"resume": {1, 1, false, func(ctx context.Context, args []string) error { return c.runner.Resume(ctx, args[0]) }},
		"pause":  {2, 2, false, func(ctx context.Context, args []string) error { return c.runner.Pause(ctx, args[0], args[1]) }},
		"reset":  {1, 1, true, func(ctx context.Context, args []string) error { return c.runner.Reset(ctx, args[0], c.clears[args[0]]) }},
		"accept": {2, 2, false, c.accept},
		"resize": {2, 2, false, c.resize},
		"forget": {1, 1, true, func(ctx context.Context, args []string) error { return c.runner.Forget(ctx, args[0]) }},
	}
	s, ok := subcommands[name]
	switch {
	case !ok:
		return usageError{fmt.Sprintf("there is no command %q", name)}
	case len(args) < s.least || len(args) > s.most || name == "retry" && len(args) == 2:
		return usageError{fmt.Sprintf("%s: wrong number of arguments: %d", name, len(args))}
	case c.log != "" && c.runner.logs == nil:
		return usageError{fmt.Sprintf("--log %s: there is one log, which has no name; leave the flag out", c.log)}
	case s.confirmed && !c.yes:
		return usageError{name + ": this cannot be undone; say --yes"}
	}
	return s.run(ctx, args)
}

// A consumerReport is a consumer as status prints it in JSON.
type consumerReport struct {
	Consumer string          `json:"consumer"`
	Frontier int64           `json:"frontier"`
	LogEnd   int64           `json:"logEnd"`
	Holders  []string        `json:"holders,omitempty"`
	Behind   int64           `json:"behind"`
	More     bool            `json:"more,omitempty"`
	Age      float64         `json:"ageSeconds"`
	Parked   int64           `json:"parked"`
	Trouble  string          `json:"trouble,omitempty"`
	Segments []segmentReport `json:"segments"`
}

// A segmentReport is a segment as status prints it in JSON.
type segmentReport struct {
	Log            string       `json:"log,omitempty"`
	Segment        int          `json:"segment"`
	State          SegmentState `json:"state"`
	Position       int64        `json:"position"`
	Behind         int64        `json:"behind"`
	Failures       int          `json:"failures,omitempty"`
	FailedPosition int64        `json:"failedPosition,omitempty"`
	LastError      string       `json:"lastError,omitempty"`
	RetryAt        *time.Time   `json:"retryAt,omitempty"`
	StoppedAt      *time.Time   `json:"stoppedAt,omitempty"`
}

func reportOf(s Status) consumerReport {
	lag := s.Lag()
	report := consumerReport{
		Consumer: s.Consumer, Frontier: s.Frontier, LogEnd: s.LogEnd, Behind: lag.Events, More: s.More(), Age: lag.Age.Seconds(),
		Parked: s.Parked, Segments: []segmentReport{},
	}
	for _, h := range s.Holders {
		report.Holders = append(report.Holders, h.String())
	}
	if s.Trouble != nil {
		report.Trouble = s.Trouble.Error()
	}
	for _, segment := range s.Segments {
		report.Segments = append(report.Segments, segmentReport{
			Log: segment.Log, Segment: segment.Segment, State: segment.State(), Position: segment.Position, Behind: segment.Lag.Events,
			Failures: segment.Failures, FailedPosition: segment.FailedPosition, LastError: segment.LastError,
			RetryAt: timeOrNil(segment.RetryAt), StoppedAt: timeOrNil(segment.StoppedAt),
		})
	}
	return report
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (c *command[Tx]) status(ctx context.Context, args []string) error {
	if len(args) > 0 {
		if _, err := c.runner.find(args[0]); err != nil {
			return err
		}
	}
	all, err := c.runner.Status(ctx)
	if err != nil {
		return err
	}
	reports := []consumerReport{}
	unwell := 0
	for _, s := range all {
		if len(args) > 0 && s.Consumer != args[0] {
			continue
		}
		reports = append(reports, reportOf(s))
		if s.Stopped() || s.Trouble != nil {
			unwell++
		}
	}
	if err := c.print(reports, func(w io.Writer) { printStatus(w, reports) }); err != nil {
		return err
	}
	if c.check && unwell > 0 {
		return fmt.Errorf("%d of %d consumers stopped or in trouble", unwell, len(reports))
	}
	return nil
}

func printStatus(w io.Writer, reports []consumerReport) {
	_, _ = fmt.Fprintln(w, "CONSUMER\tSEGMENT\tSTATE\tPOSITION\tBEHIND\tPARKED\tLAST ERROR")
	for _, r := range reports {
		if len(r.Segments) == 0 {
			_, _ = fmt.Fprintf(w, "%s\t-\tnever ran\t0\t\t%d\t%s\n", r.Consumer, r.Parked, oneLine(r.Trouble))
		}
		for i, s := range r.Segments {
			last := ""
			switch {
			case s.LastError != "" && s.FailedPosition > 0:
				last = fmt.Sprintf("event %d: %s", s.FailedPosition, s.LastError)
			case s.LastError != "":
				last = s.LastError
			case i == 0:
				last = r.Trouble
			}
			part := strconv.Itoa(s.Segment)
			if s.Log != "" {
				part = strconv.Quote(s.Log)
			}
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\t%s\n", r.Consumer, part, s.State, s.Position, s.Behind, r.Parked, oneLine(last))
		}
	}
	if len(reports) > 0 && reports[0].Frontier < reports[0].LogEnd {
		_, _ = fmt.Fprintf(w, "\nThe log goes to position %d and can be read to %d.\n", reports[0].LogEnd, reports[0].Frontier)
		for _, h := range reports[0].Holders {
			_, _ = fmt.Fprintf(w, "It is held back by %s.\n", h)
		}
	}
}

// A parkedReport is a parked event as parked prints it in JSON.
type parkedReport struct {
	Log           string    `json:"log,omitempty"`
	Position      int64     `json:"position"`
	AggregateType string    `json:"aggregateType"`
	AggregateID   string    `json:"aggregateID"`
	Attempts      int       `json:"attempts"`
	Error         string    `json:"error,omitempty"`
	ParkedAt      time.Time `json:"parkedAt"`
}

func (c *command[Tx]) parked(ctx context.Context, args []string) error {
	events, err := c.runner.parked(ctx, args[0], ParkedQuery{Log: c.log, After: c.after, Limit: c.limit})
	if err != nil {
		return err
	}
	reports := []parkedReport{}
	for _, p := range events {
		reports = append(reports, parkedReport{p.Log, p.GlobalPosition, p.AggregateType, p.AggregateID, p.Attempts, p.Error, p.ParkedAt})
	}
	return c.print(reports, func(w io.Writer) {
		_, _ = fmt.Fprintln(w, "POSITION\tSTREAM\tATTEMPTS\tPARKED\tERROR")
		for _, p := range reports {
			_, _ = fmt.Fprintf(w, "%d\t%s %q\t%d\t%s\t%s\n", p.Position, p.AggregateType, p.AggregateID, p.Attempts, p.ParkedAt.UTC().Format(time.RFC3339), oneLine(p.Error))
		}
	})
}

// retry retries the parked events of a stream, or of every stream that has some now.
func (c *command[Tx]) retry(ctx context.Context, args []string) error {
	streams := []Stream{}
	if len(args) == 3 {
		streams = append(streams, Stream{AggregateType: args[1], AggregateID: args[2], Log: c.log})
	} else {
		seen := make(map[Stream]bool)
		for q := (ParkedQuery{Log: c.log, Limit: maxParked}); ; {
			parked, err := c.runner.parked(ctx, args[0], q)
			if err != nil {
				return err
			}
			for _, p := range parked {
				if q.AfterLog, q.After = p.Log, p.GlobalPosition; !seen[p.Stream] {
					seen[p.Stream] = true
					streams = append(streams, p.Stream)
				}
			}
			if len(parked) < maxParked {
				break
			}
		}
	}
	total, problems := 0, []error{}
	for _, s := range streams {
		handled, err := c.runner.RetryParked(ctx, args[0], s)
		total += handled
		if err != nil {
			problems = append(problems, err)
		}
	}
	_, _ = fmt.Fprintf(c.out, "%d events handled of %d streams\n", total, len(streams))
	return errors.Join(problems...)
}

func (c *command[Tx]) drop(ctx context.Context, args []string) error {
	position, err := number(args[1])
	if err != nil {
		return err
	}
	dropped, err := c.runner.dropParked(ctx, args[0], c.log, position)
	if err == nil && !dropped {
		err = fmt.Errorf("consumer %s has parked no event %d", args[0], position)
	}
	return err
}

func (c *command[Tx]) accept(ctx context.Context, args []string) error {
	position, err := number(args[1])
	if err != nil {
		return err
	}
	if c.log != "" {
		return c.runner.AcceptLog(ctx, args[0], c.log, position)
	}
	return c.runner.Accept(ctx, args[0], position)
}

func (c *command[Tx]) resize(ctx context.Context, args []string) error {
	segments, err := number(args[1])
	if err != nil {
		return err
	}
	return c.runner.Resize(ctx, args[0], int(min(segments, MaxSegments+1)))
}

func number(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, usageError{fmt.Sprintf("%q is no number", text)}
	}
	return n, nil
}

// print prints a report as JSON, or as a table.
func (c *command[Tx]) print(report any, table func(io.Writer)) error {
	if c.json {
		encoder := json.NewEncoder(c.out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(report)
	}
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	table(w)
	return w.Flush()
}

// withoutRepetition returns a text without the lines that it had before: a driver says of every address, with TLS and without,
// why it cannot be reached.
func withoutRepetition(s string) string {
	var lines []string
	for line := range strings.Lines(s) {
		if line = strings.TrimSuffix(line, "\n"); !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// oneLine returns the first line of a text.
func oneLine(s string) string {
	for i, r := range s {
		if r == '\n' || r == '\t' {
			return s[:i] + " ..."
		}
	}
	return s
}
