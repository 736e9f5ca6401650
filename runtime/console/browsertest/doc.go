// Package browsertest tests runtime/console in a real Chromium. It is a module of its own so that nobody else downloads
// what drives the browser.
package browsertest
