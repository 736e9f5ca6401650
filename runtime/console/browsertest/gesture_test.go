package browsertest_test

import (
	"fmt"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// What a person does, one by one. What is clicked on, or waited for, is an XPath.

func navigate(address string) step { return chromedp.Navigate(address) }

func clickOn(what string) step { return chromedp.Click(chromedp.Search(what)) }

func waitFor(what string) step { return chromedp.WaitVisible(chromedp.Search(what)) }

func typeInto(where, text string) step { return chromedp.SendKeys(chromedp.Search(where), text) }

func write(text string) step { return chromedp.KeyEvent(text) }

// press presses a key that is not to write anything.
func press(key string) step {
	return chromedp.Steps(
		call(input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeRawKeyDown, Key: key}),
		call(input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyUp, Key: key}),
	)
}

func withoutScripts() step {
	return call(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
}

func (b *browser) waitForHeading(says string) {
	b.t.Helper()
	b.do(waitFor(fmt.Sprintf(`//h1[starts-with(normalize-space(.), %q)]`, says)))
}
