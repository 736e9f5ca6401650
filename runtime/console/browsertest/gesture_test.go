package browsertest_test

import (
	"context"
	"fmt"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// What a person does, one by one. What is clicked on, or waited for, is an XPath.

func navigate(address string) step { return chromedp.Navigate(address) }

// clickOn clicks in the middle of what is found, once that is to be seen and nothing covers it.
func clickOn(what string) step {
	return onceTrue(what, `
		n.scrollIntoView({block: "center", behavior: "instant"});
		const r = n.getClientRects()[0], hit = document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2);
		if (!n.contains(hit)) return false;
		hit.click();
		return true`)
}

func waitFor(what string) step { return onceTrue(what, `return true`) }

// waitForPage waits until a page of the console is there. What a page says may be on the one before it too.
func waitForPage(name string) step {
	return onceTrue(`//body`, fmt.Sprintf(`return location.pathname.endsWith(%q)`, "/"+name))
}

func typeInto(where, text string) step {
	return chromedp.Steps(onceTrue(where, `n.focus(); return document.activeElement === n`), write(text))
}

// onceTrue runs a script with n, the first visible thing that an XPath finds, again and again until it returns true.
func onceTrue(what, script string) step {
	evaluate := once[bool](fmt.Sprintf(`
		const n = document.evaluate(%q, document, null, XPathResult.FIRST_ORDERED_NODE_TYPE).singleNodeValue;
		if (!n.checkVisibility() || n.getClientRects().length === 0) throw "it is not to be seen";
		if (!(() => { %s })()) throw "not yet";
		return true`, what, script))
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := evaluate(ctx, target)
		return err
	})
}

// once runs a script on a page that is loaded, again and again until it returns something. The page reads itself anew as it likes: what one call of
// the browser finds may be gone by the next, so all that belongs together is one call.
func once[T any](script string) chromedp.Action[T] {
	evaluate := chromedp.Evaluate[T](`(() => { if (document.readyState !== "complete") throw "it is still loading"; ` + script + `})()`)
	return func(ctx context.Context, target *chromedp.Target) (T, error) {
		for {
			value, err := evaluate(ctx, target)
			if err == nil || ctx.Err() != nil {
				return value, err
			}
			time.Sleep(5 * time.Millisecond) // between two looks
		}
	}
}

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
