package browsertest_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// buildShop builds examples/shop once.
var buildShop = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "shop")
	if err != nil {
		return "", err
	}
	program := filepath.Join(folder, "shop")
	if out, err := exec.Command("go", "build", "-C", "../../../examples/shop", "-o", program, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return program, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if program, err := buildShop(); err == nil && built.Load() {
		_ = os.RemoveAll(filepath.Dir(program)) // nothing was to be kept
	}
	os.Exit(code)
}

// built reports whether the shop was built.
var built atomic.Bool

var (
	consoleAddress  = regexp.MustCompile(`the console: +http://(\S+/console/)`)
	operatorAddress = regexp.MustCompile(`as operator: +(\w+), password (\w+)`)
)

// openShop opens the shop, with customers who order and a mail server that refuses some mails, and returns the address of
// its console for an operator.
func openShop(t *testing.T) string {
	t.Helper()
	built.Store(true)
	program, err := buildShop()
	if err != nil {
		t.Fatal(err)
	}
	shop := exec.CommandContext(t.Context(), program, "-migrate", "-console", "127.0.0.1:0")
	shop.Env = append(os.Environ(), "DATABASE_URL="+filepath.Join(t.TempDir(), "shop.db"))
	shop.Cancel = func() error { return shop.Process.Signal(os.Interrupt) }
	shop.WaitDelay = patience
	out, err := shop.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := shop.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = shop.Wait() }) // the context has ended it
	var said strings.Builder
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		said.WriteString(lines.Text() + "\n")
		address, operator := consoleAddress.FindStringSubmatch(said.String()), operatorAddress.FindStringSubmatch(said.String())
		if address != nil && operator != nil {
			go func() {
				for lines.Scan() {
				}
			}()
			return fmt.Sprintf("http://%s:%s@%s", operator[1], operator[2], address[1])
		}
	}
	t.Fatalf("the shop does not open: %s", said.String())
	return ""
}

// A person finds a parked event in two clicks, reads why it failed, mends the cause, retries it, and sees it handled.
func TestConsole_aPersonMendsAParkedEvent(t *testing.T) {
	t.Parallel()
	b := open(t, openShop(t))
	b.visit("")
	b.waitFor("shipping-mails has parked") // without a reload: the page reads itself anew
	b.click(`//a[contains(., "See why, and retry")]`, "smtp: 451")
	b.click(`(//table//a[starts-with(@href, "failure?")])[1]`, "It failed 2 times")
	for _, want := range []string{"relay.paris.example: queue file write error", `"city": "Paris"`, "Royal Mail"} {
		if !strings.Contains(b.text(), want) {
			t.Errorf("the page of the event does not say %q:\n%s", want, b.text())
		}
	}
	b.click(`//button[. = "Retry"]`, "That did not work.")
	mend(b)
	b.visit("parked?consumer=shipping-mails")
	for n := 0; !strings.Contains(b.text(), "Nothing is parked"); n++ {
		if n > 100 {
			t.Fatalf("there is always another one:\n%s", b.text())
		}
		b.click(`(//table//a[starts-with(@href, "failure?")])[1]`, "Payload as stored")
		b.click(`//button[. = "Retry"]`, "Handled 1 parked events")
	}
	b.visit("")
	b.waitFor("All consumers are up to date")
	b.check()
}

// mend mends the mail server, on the page of the shop.
func mend(b *browser) {
	b.t.Helper()
	console := b.base
	b.base = strings.TrimSuffix(console, "console/")
	b.do(navigate(b.base), clickOn(`//button[. = "Mend it"]`), waitFor(`//button[. = "Break it"]`))
	b.base = console
}

// Everything works without JavaScript.
func TestConsole_worksWithoutJavaScript(t *testing.T) {
	t.Parallel()
	b := open(t, openShop(t))
	b.do(withoutScripts())
	deadline := time.Now().Add(patience)
	for b.visit(""); !strings.Contains(b.text(), "has parked"); b.visit("") {
		if time.Now().After(deadline) {
			t.Fatalf("nothing was parked:\n%s", b.text())
		}
	}
	b.click(`//a[contains(., "See why, and retry")]`, "smtp: 451")
	b.click(`(//table//a[starts-with(@href, "failure?")])[1]`, "It failed")
	b.click(`//button[. = "Retry"]`, "That did not work.")
	b.click(`//a[. = "Consumers"]`, "customers")
	b.click(`//main//a[. = "customers"]`, "2 segments")
	b.click(`//summary[. = "Pause"]`, "until somebody resumes it")
	b.do(typeInto(`//input[@name="reason"]`, "a test"))
	b.click(`//button[. = "Pause"]`, "customers is paused.")
	b.click(`//button[. = "Resume"]`, "customers goes on.")
	b.check()
}

// The keys lead where the footer says.
func TestConsole_keys(t *testing.T) {
	t.Parallel()
	b := open(t, openShop(t))
	b.visit("")
	b.waitFor("Placed") // the first order is in
	for key, says := range map[string]string{"c": "Consumers", "p": "Parked events", "s": "Streams", "e": "Events"} {
		b.do(press("g"), press(key))
		b.waitForHeading(says)
	}
	b.do(press("g"), press("s"))
	b.waitForHeading("Streams")
	b.do(press("j"), press("j"), press("k"), write("\r"))
	b.waitFor("Newest first")
	b.do(press("/"), write("1\r"))
	b.waitFor("Payload as stored")
	b.check()
}
