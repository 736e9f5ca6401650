package browsertest_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

var screenshots = flag.String("screenshots", "", "a folder to write pictures of the console to; docs/images has those of the docs")

// No page of the shop is wider than the window, on whatever screen. With -screenshots it writes pictures of them.
func TestConsole_onEveryScreen(t *testing.T) {
	t.Parallel()
	b := open(t, openShop(t))
	b.visit("")
	b.waitFor("shipping-mails has parked")
	for _, scheme := range []string{"light", "dark"} {
		for _, size := range [][2]int64{{1440, 900}, {768, 1024}, {390, 844}} {
			b.screen(size[0], size[1], scheme)
			for _, page := range []struct{ name, address, first string }{
				{"overview", "", ""},
				{"consumer", "consumer?name=shipping-mails", ""},
				{"parked", "parked?consumer=shipping-mails", ""},
				{"failure", "parked?consumer=shipping-mails", `(//table//a[starts-with(@href, "failure?")])[1]`},
				{"streams", "streams", ""},
				{"stream", "streams", `(//table//a[starts-with(@href, "stream?")])[2]`},
				{"events", "events", ""},
				{"event", "event?position=15", ""},
			} {
				b.visit(page.address)
				if page.first != "" {
					b.do(clickOn(page.first), waitForPage(page.name))
				}
				if n := b.wider(); n > 0 {
					t.Errorf("%s is %d pixels wider than a window of %d", page.name, n, size[0])
				}
				b.picture(fmt.Sprintf("console-%s-%d-%s.png", page.name, size[0], scheme))
			}
		}
	}
	b.check()
}

// picture writes a picture of what is to be seen, if that is wanted.
func (b *browser) picture(name string) {
	b.t.Helper()
	if *screenshots == "" {
		return
	}
	picture := ask(b, chromedp.CaptureScreenshot())
	if err := os.WriteFile(filepath.Join(*screenshots, name), picture, 0o666); err != nil {
		b.t.Fatal(err)
	}
}
