package console

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/eventmap/eventmap/runtime/inspect"
)

//go:embed pages/*.html
var pageFiles embed.FS

// templates are the pages by name, each within the layout.
var templates = parsePages("overview", "consumers", "consumer", "parked", "failure", "streams", "stream", "events", "event", "error")

func parsePages(names ...string) map[string]*template.Template {
	pages := make(map[string]*template.Template, len(names))
	for _, name := range names {
		t := template.New("layout.html").Funcs(functions)
		pages[name] = template.Must(t.ParseFS(pageFiles, "pages/layout.html", "pages/parts.html", "pages/"+name+".html"))
	}
	return pages
}

// A request is a request for a page.
type request struct {
	*http.Request
	access Access
	now    time.Time
}

// param returns a parameter of the address.
func (r *request) param(name string) string { return r.URL.Query().Get(name) }

// number returns a parameter that is a number, 0 if there is none, and an error if it is something else.
func (r *request) number(name string) (int64, error) {
	text := r.param(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, badRequest{fmt.Errorf("%s is not a number: %.40q", name, text)}
	}
	return n, nil
}

// A view is what a page shows.
type view struct {
	template string
	title    string
	section  string // of the menu
	live     bool   // it is read anew every few seconds
	forms    bool   // somebody may be filling in a form, which a reload would empty
	data     any
	redirect string // instead of a page
	parts    []string
}

// A layout is what the templates are given.
type layout struct {
	Log, Title, Section string
	Live                bool
	Forms               bool
	User                string
	Operator            bool
	Token               string
	Notice              string
	Catalog             string
	Query               string // of the search
	Now                 time.Time
	Took                time.Duration
	Missing             []string // parts of the page that could not be read
	Data                any
}

// page serves a page.
func (h *Handler) page(build func(*request) (view, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		ctx, cancel := context.WithTimeout(r.Context(), h.config.Timeout)
		defer cancel()
		access := accessOf(ctx)
		var v view
		err := h.inTurn(ctx, func() (err error) {
			v, err = build(&request{Request: r.WithContext(ctx), access: access, now: h.clock().UTC()})
			return err
		})
		switch {
		case r.Context().Err() != nil: // nobody is there to read it
		case err != nil:
			h.fail(w, r, access, statusOf(err), err)
		case v.redirect != "":
			w.Header().Set("Location", v.redirect)
			w.WriteHeader(http.StatusSeeOther)
		default:
			h.write(w, r, access, http.StatusOK, v, time.Since(began))
		}
	})
}

// inTurn runs f when few enough others use the database.
func (h *Handler) inTurn(ctx context.Context, f func() error) error {
	select {
	case h.turn <- struct{}{}:
		defer func() { <-h.turn }()
		return f()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// write writes a page. It is complete before the first byte is sent.
func (h *Handler) write(w http.ResponseWriter, r *http.Request, access Access, status int, v view, took time.Duration) {
	l := layout{
		Log:     h.config.Title,
		Title:   v.title,
		Section: v.section,
		Live:    v.live,
		Forms:   v.forms,
		User:    access.User,
		Notice:  h.signer.read(r.URL.Query().Get("notice")),
		Catalog: h.config.CatalogURL,
		Query:   r.URL.Query().Get("q"),
		Now:     h.clock().UTC(),
		Took:    took,
		Missing: v.parts,
		Data:    v.data,
	}
	if access.operates() {
		l.Operator, l.Token = true, h.signer.token(access.User, h.clock())
	}
	var b bytes.Buffer
	if err := templates[v.template].Execute(&b, l); err != nil {
		h.config.Logger.ErrorContext(r.Context(), "console: page", "page", v.template, "error", err)
		http.Error(w, "This page could not be made; the log of the program says why.", http.StatusInternalServerError)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Length", strconv.Itoa(b.Len()))
	header.Set("Server-Timing", fmt.Sprintf("page;dur=%.1f", float64(took.Microseconds())/1000))
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // a client that is gone is not our trouble; HEAD drops it
}

// A badRequest is an error of whoever sent the request.
type badRequest struct{ error }

func (e badRequest) Unwrap() error { return e.error }

// errNotFound: what was asked for does not exist.
var errNotFound = errors.New("not found")

func statusOf(err error) int {
	switch {
	case errors.As(err, new(badRequest)):
		return http.StatusBadRequest
	case errors.Is(err, errNotFound):
		return http.StatusNotFound
	case errors.Is(err, context.DeadlineExceeded):
		return http.StatusGatewayTimeout
	default:
		return http.StatusServiceUnavailable
	}
}

// An errorPage is what the page of an error says.
type errorPage struct {
	Status int
	Name   string
	Error  string
	Advice string
}

// fail writes the page of an error.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, access Access, status int, err error) {
	if status >= http.StatusInternalServerError {
		h.config.Logger.ErrorContext(r.Context(), "console: the database did not answer", "path", r.URL.Path, "error", err)
	}
	advice := ""
	switch status {
	case http.StatusServiceUnavailable:
		advice = "The database could not be read. Nothing was changed; the page can be loaded again at any time."
	case http.StatusGatewayTimeout:
		advice = "The database did not answer in time. Nothing was changed; the page can be loaded again at any time."
	}
	h.write(w, r, access, status, view{
		template: "error",
		title:    http.StatusText(status),
		data:     errorPage{status, http.StatusText(status), err.Error(), advice},
	}, 0)
}

// link returns a relative reference to a page, with parameters by pairs; empty texts and the number 0 are left out.
func link(page string, pairs ...any) string {
	query := make(url.Values)
	for i := 0; i+1 < len(pairs); i += 2 {
		if value := pairs[i+1]; value != "" && value != 0 && value != int64(0) {
			query.Set(fmt.Sprint(pairs[i]), fmt.Sprint(value))
		}
	}
	if len(query) == 0 {
		return page
	}
	return page + "?" + query.Encode()
}

// description returns what the domain says of an event.
func (h *Handler) description(e *inspect.Event) *inspect.EventType {
	return h.config.Domain.Find(e.AggregateType, e.EventType, e.EventVersion)
}
