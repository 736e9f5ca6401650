package acceptance_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

var screenshots = flag.String("screenshots", "", "a folder to write pictures of the page to; docs/images has that of the docs")

// patience is how long a test waits for what is sure to come on a busy machine.
const patience = 5 * time.Minute

// A tab is a tab of Chromium with a catalogue, which notes what a good page does not do.
type tab struct {
	t       *testing.T
	ctx     context.Context
	address string

	mu     sync.Mutex
	faults []string
}

// A step is what a person does.
type step = chromedp.Action[chromedp.Void]

func call[P, R any](command cdp.Command[P, R], params P) step {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, command, params)
		return err
	})
}

// openPage opens a page in a tab of its own. When the test ends, the page must have asked nobody for anything and have made no
// error.
func openPage(t *testing.T, content []byte) *tab {
	t.Helper()
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "/usr/lib/chromium/chromium"} {
		if found, err := exec.LookPath(name); err == nil {
			program = found
			break
		}
	}
	if program == "" {
		t.Skip("Chromium is not installed (apt-get install chromium)")
	}
	path := filepath.Join(t.TempDir(), "index.html")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.WSURLReadTimeout(patience), chromedp.WindowSize(1440, 900))...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	p := &tab{t: t, ctx: ctx, address: "file://" + path}
	if err := chromedp.Listen(ctx, p.watch); err != nil {
		t.Fatal(err)
	}
	p.do(call(network.Enable, network.EnableParams{}), call(log.Enable, cdp.Empty{}))
	p.do(chromedp.Navigate(p.address), chromedp.WaitVisible(chromedp.CSS("main")))
	t.Cleanup(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, fault := range p.faults {
			t.Error(fault)
		}
	})
	return p
}

// watch notes errors, dialogs, and requests.
func (p *tab) watch(event any) {
	fault := ""
	switch e := event.(type) {
	case *page.EventJavascriptDialogOpening:
		fault = "a dialog: " + e.Message
	case *runtime.EventExceptionThrown:
		fault = "an exception: " + e.ExceptionDetails.Text + fmt.Sprint(e.ExceptionDetails.Exception)
	case *runtime.EventConsoleAPICalled:
		fault = "a message on the console: " + string(e.Type)
	case *log.EventEntryAdded:
		fault = "an entry in the log: " + e.Entry.Text
	case *network.EventRequestWillBeSent:
		if address, _, _ := strings.Cut(e.Request.URL, "#"); address != p.address {
			fault = "a request to " + e.Request.URL
		}
	}
	if fault != "" {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.faults = append(p.faults, fault)
	}
}

func (p *tab) do(steps ...step) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatal(err)
	}
}

// eval returns what an expression of JavaScript is in the page.
func eval[T any](p *tab, expression string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// expect waits until an expression is what it should be.
func expect[T comparable](p *tab, expression string, want T) {
	p.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		got := eval[T](p, expression)
		if got == want {
			return
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("%s = %v, want %v", expression, got, want)
		}
	}
}

// press presses a key, which writes its letter if it has one.
func (p *tab) press(key string) {
	p.t.Helper()
	down := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: key}
	if utf8.RuneCountInString(key) == 1 {
		down.Text = key
	}
	p.do(call(input.DispatchKeyEvent, down), call(input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyUp, Key: key}))
}

// find has a person look for words, from wherever the page is.
func (p *tab) find(words string) {
	p.t.Helper()
	p.press("Escape") // what was looked for before, and then the field
	p.press("Escape")
	p.press("/")
	for _, r := range words {
		p.press(string(r))
	}
}

// visible is an expression for the events that are to be seen.
const visible = `[...document.querySelectorAll("article")].filter(a => a.offsetParent).map(a => a.id).join(" ")`

func (p *tab) screen(width, height int64, scheme string) {
	p.t.Helper()
	p.do(chromedp.EmulateViewport(width, height), call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	}))
}

// picture writes a picture of what is to be seen, if that is wanted.
func (p *tab) picture(name string) {
	p.t.Helper()
	if *screenshots == "" {
		return
	}
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	content, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*screenshots, name+".png"), content, 0o666); err != nil { //nolint:gosec // a picture
		p.t.Fatal(err)
	}
}

func shopPage(t *testing.T) []byte {
	t.Helper()
	content, err := os.ReadFile("../../../examples/shop/catalog/index.html")
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestPage_finds(t *testing.T) {
	t.Parallel()
	p := openPage(t, shopPage(t))
	for _, test := range []struct{ words, want string }{
		{"itemadd", "Order.ItemAdded"},                          // an event
		{"carrier", "Order.Shipped"},                            // a field
		{"parcel left", "Order.Shipped"},                        // a doc, by two words
		{"customername", "Order.Placed"},                        // a field of a version that is closed
		{"currency", "Order.ItemAdded Order.Paid Order.Placed"}, // a field within others
		{"shipping-mails order.order.ship", "Order.Shipped"},    // who handles and emits
		{"nosuchword", ""},
	} {
		p.find(test.words)
		expect(p, visible, test.want)
		expect(p, `document.querySelector(".none").hidden`, test.want != "")
	}
	p.find("v1/placed") // which is in nothing but a version that is closed
	expect(p, `document.getElementById("Order.Placed.v1").open`, true)
	p.press("Escape")
	expect(p, `document.getElementById("found").textContent`, "")
	expect(p, `document.querySelectorAll("article:not([hidden])").length`, 11)
	expect(p, `document.getElementById("Order.Placed.v1").open`, false)
}

func TestPage_byKeyboard(t *testing.T) {
	t.Parallel()
	p := openPage(t, shopPage(t))
	p.press("j")
	expect(p, `document.activeElement.id`, "Order.Cancelled")
	p.press("j")
	p.press("j")
	p.press("k")
	expect(p, `document.activeElement.id`, "Order.ItemAdded")
	p.find("placed begins")
	p.press("Enter")
	expect(p, `document.activeElement.id`, "Order.Placed")
	expect(p, `document.getElementById("Order.Placed.v1").open`, false)
	p.press("o")
	expect(p, `document.getElementById("Order.Placed.v1").open`, true)
	expect(p, `getComputedStyle(document.body).backgroundColor`, "rgb(251, 251, 250)")
	p.press("t")
	expect(p, `getComputedStyle(document.body).backgroundColor`, "rgb(19, 20, 23)")
	p.press("Escape")
	expect(p, `document.querySelectorAll("article:not([hidden])").length`, 11)
}

// The difference of two versions, and the diagram, say what they should.
func TestPage_shows(t *testing.T) {
	t.Parallel()
	p := openPage(t, shopPage(t))
	expect(p, `[...document.querySelectorAll("[id='Order.Placed.v2'] .changes li")].map(l => l.className + " " + l.textContent.trim()).join("; ")`,
		"del customerName a string; del at a time; add customer a string; add currency a string; add placedAt a time")
	expect(p, `document.querySelector("[id='Order.Placed.v1'] summary").textContent.trim().replace(/\s+/g, " ")`, "Version 1 read as version 2 by order.UpcastPlaced")
	const edges = `[...document.querySelectorAll("#Order .diagram path")].map(e => ["f", "t"].map(d => document.querySelector("#Order [data-n='" + e.dataset[d] + "'] text").textContent).join(">"))`
	expect(p, edges+`.filter(e => e.includes("Shipped")).join(" ")`, "order.Order.Ship>Shipped Shipped>customers Shipped>shipping-mails")
	expect(p, edges+`.length`, 15)
	p.do(chromedp.ScrollIntoView(chromedp.CSS(`#Order .diagram .handler`)))
	at := eval[[]float64](p, `(r => [r.x + r.width / 2, r.y + r.height / 2])(document.querySelector("#Order .diagram .handler:last-of-type use").getBoundingClientRect())`)
	p.do(call(input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: input.DispatchMouseEventTypeMouseMoved, X: at[0], Y: at[1]}))
	expect(p, `[...document.querySelectorAll("#Order .diagram .on text")].map(t => t.textContent).join(" ")`, "Shipped shipping-mails")
}

func TestPage_onEveryScreenAndPaper(t *testing.T) {
	t.Parallel()
	p := openPage(t, shopPage(t))
	for _, scheme := range []string{"light", "dark"} {
		for _, size := range [][2]int64{{1440, 900}, {768, 1024}, {390, 844}} {
			p.screen(size[0], size[1], scheme)
			for _, at := range []string{"", "Order.Placed"} {
				p.do(chromedp.Navigate(p.address+"#"+at), chromedp.WaitVisible(chromedp.CSS("main")))
				if wider := eval[int](p, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); wider > 0 {
					t.Errorf("the page is %d pixels wider than a window of %d", wider, size[0])
				}
				p.picture(fmt.Sprintf("catalog-%s%d-%s", at, size[0], scheme))
			}
		}
	}
	p.do(call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"}))
	eval[bool](p, `dispatchEvent(new Event("beforeprint"))`)
	expect(p, `document.querySelectorAll("details:not([open])").length`, 0)
	expect(p, `getComputedStyle(document.querySelector("nav")).display`, "none")
	expect(p, `getComputedStyle(document.body).backgroundColor`, "rgb(255, 255, 255)")
	eval[bool](p, `dispatchEvent(new Event("afterprint"))`)
	expect(p, `document.getElementById("Order.Placed.v1").open`, false)
}

// Without JavaScript everything is there, and nothing that needs it is offered.
func TestPage_withoutScripts(t *testing.T) {
	t.Parallel()
	content := strings.Replace(string(shopPage(t)), "script-src &#39;sha256-", "script-src &#39;sha256-x", 1)
	p := openPage(t, []byte(content))
	p.mu.Lock()
	refused := len(p.faults)
	p.faults = nil
	p.mu.Unlock()
	if refused == 0 {
		t.Error("the policy of the page let a script run that it does not name")
	}
	expect(p, `document.querySelectorAll("article").length`, 11)
	expect(p, `document.querySelectorAll(".find:not([hidden]), #theme:not([hidden])").length`, 0)
}
