package browsertest_test

import (
	"context"
	"fmt"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is how long a test waits for what is sure to come on a busy machine.
const patience = 5 * time.Minute

// A browser is a tab of Chromium that notes what a good page does not do.
type browser struct {
	t    *testing.T
	ctx  context.Context
	base string

	mu     sync.Mutex
	faults []string
}

// open opens a browser for the pages at a base address.
func open(t *testing.T, base string) *browser {
	t.Helper()
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium(t)),
		chromedp.NoSandbox, // tests may run as root
		chromedp.WSURLReadTimeout(patience),
		chromedp.WindowSize(1440, 1000),
	)...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &browser{t: t, ctx: ctx, base: base}
	address, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Listen(ctx, func(event any) { b.watch(address.Host, event) }); err != nil {
		t.Fatal(err)
	}
	b.do(call(network.Enable, network.EnableParams{}), call(log.Enable, cdp.Empty{}))
	return b
}

// chromium returns the browser's program. Where there is none the test says how to get it: .ci/postgres tries to install
// it for .ci/test.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "/usr/lib/chromium/chromium"} {
		if program, err := exec.LookPath(name); err == nil {
			return program
		}
	}
	t.Skip("Chromium is not installed (apt-get install chromium)")
	return ""
}

// watch notes errors, dialogs, and requests that leave the console.
func (b *browser) watch(host string, event any) {
	fault := ""
	switch e := event.(type) {
	case *page.EventJavascriptDialogOpening:
		fault = "a dialog: " + e.Message
		go func() { // a handler of events must not call
			_ = chromedp.Do(b.ctx, call(page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{}))
		}()
	case *runtime.EventExceptionThrown:
		fault = "an exception: " + e.ExceptionDetails.Text
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError && !strings.Contains(e.Entry.URL, "favicon.ico") {
			fault = "an error: " + e.Entry.Text + " " + e.Entry.URL
		}
	case *network.EventRequestWillBeSent:
		if asked, err := url.Parse(e.Request.URL); err != nil || asked.Scheme != "data" && asked.Host != host { // Chromium draws icons of fields with data
			fault = "a request to " + e.Request.URL
		}
	}
	if fault != "" {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.faults = append(b.faults, fault)
	}
}

// check reports what a good page does not do.
func (b *browser) check() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, fault := range b.faults {
		b.t.Error(fault)
	}
	b.faults = nil
}

// A step is what a person does.
type step = chromedp.Action[chromedp.Void]

// call returns a command of the browser as a step.
func call[P, R any](command cdp.Command[P, R], params P) step {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, command, params)
		return err
	})
}

// do takes steps.
func (b *browser) do(steps ...step) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("%v\nthe page says:\n%s", err, b.saying())
	}
}

// saying returns what the page says, as far as that can be found out.
func (b *browser) saying() string {
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("body")))
	if err != nil {
		return err.Error()
	}
	return text
}

// ask returns what an action finds out.
func ask[T any](b *browser, a chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	found, err := chromedp.Run(ctx, a)
	if err != nil {
		b.t.Fatalf("%v\nthe page says:\n%s", err, b.saying())
	}
	return found
}

// visit goes to a page of the console.
func (b *browser) visit(name string) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.base+name), chromedp.WaitVisible(chromedp.CSS("#main")))
}

// click clicks the first thing that a selector, or an XPath, finds, and waits for the page after it to say something.
func (b *browser) click(what, says string) {
	b.t.Helper()
	b.do(clickOn(what))
	b.waitFor(says)
}

// waitFor waits until the page says something.
func (b *browser) waitFor(says string) {
	b.t.Helper()
	b.do(waitFor(fmt.Sprintf(`//main//*[contains(normalize-space(.), %q)]`, says)))
}

// text returns what the page says.
func (b *browser) text() string {
	b.t.Helper()
	return ask(b, once[string](`return document.getElementById("main").innerText`))
}

// screen sets the size of the window, and whether it is dark.
func (b *browser) screen(width, height int64, scheme string) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(width, height), call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	}))
}

// wider returns by how many pixels the page is wider than the window.
func (b *browser) wider() int {
	b.t.Helper()
	return ask(b, once[int](`return document.documentElement.scrollWidth - document.documentElement.clientWidth`))
}
