package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/eventmap/eventmap/runtime/consumer"
)

// maxForm is how long the form of an action may be, in bytes: IDs of streams can be long.
const maxForm = 64 << 10

// maxReason is how long a reason may be, in bytes.
const maxReason = 1000

// action carries out an action. It takes a POST from the same site, with the token of a form that was made for this user,
// from somebody who may act.
func (h *Handler) action(w http.ResponseWriter, r *http.Request) {
	access := accessOf(r.Context())
	if err := h.guard.Check(r); err != nil {
		h.fail(w, r, access, http.StatusForbidden, fmt.Errorf("the form comes from another site: %w", err))
		return
	}
	if !access.operates() {
		h.fail(w, r, access, http.StatusForbidden, errors.New("you may look, but not act"))
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		h.fail(w, r, access, http.StatusBadRequest, fmt.Errorf("the form cannot be read: %w", err))
		return
	}
	if !h.signer.valid(r.PostForm.Get("token"), access.User, h.clock()) {
		h.fail(w, r, access, http.StatusForbidden, errors.New("the form is too old, or was made for somebody else or by another process; load the page again"))
		return
	}
	a, err := readAction(r, access.User)
	if err != nil {
		h.fail(w, r, access, http.StatusBadRequest, err)
		return
	}
	result, err := h.perform(r.Context(), a)
	if errors.Is(err, errNotFound) {
		h.fail(w, r, access, http.StatusNotFound, err)
		return
	}
	if err != nil {
		result = "That did not work. " + clip(600, firstLine(err.Error()))
	}
	w.Header().Set("Location", after(a, err, h.signer.sign(result)))
	w.WriteHeader(http.StatusSeeOther)
}

// perform carries out an action, and puts it on record with who asked for it.
func (h *Handler) perform(ctx context.Context, a Action) (string, error) {
	o := h.operatorOf(a.Consumer)
	if o == nil {
		return "", fmt.Errorf("no consumer %q is driven by this program: %w", a.Consumer, errNotFound)
	}
	ctx, cancel := context.WithTimeout(ctx, h.config.ActionTimeout)
	defer cancel()
	log := h.config.Logger.With("user", a.User, "action", string(a.Kind), "consumer", a.Consumer)
	switch a.Kind {
	case Retry:
		log = log.With("aggregate_type", a.Stream.AggregateType, "aggregate_id", a.Stream.AggregateID)
	case Drop:
		log = log.With("position", a.Position, "reason", a.Reason)
	case Pause:
		log = log.With("reason", a.Reason)
	case Resize:
		log = log.With("segments", a.Segments)
	}
	log.InfoContext(ctx, "console: action requested")
	result, err := o.Perform(ctx, a)
	if err != nil {
		log.ErrorContext(ctx, "console: action failed", "error", err)
		return "", err
	}
	log.InfoContext(ctx, "console: action done", "result", result)
	return result, nil
}

// readAction returns the action of a form, or what is wrong with it.
func readAction(r *http.Request, user string) (Action, error) {
	form := r.PostForm
	a := Action{
		Kind:     Kind(form.Get("kind")),
		Consumer: form.Get("consumer"),
		Stream:   consumer.Stream{AggregateType: form.Get("type"), AggregateID: form.Get("id")},
		Reason:   strings.TrimSpace(form.Get("reason")),
		User:     user,
	}
	var err error
	switch a.Kind {
	case Retry:
		if a.Stream.AggregateType == "" || a.Stream.AggregateID == "" {
			err = errors.New("no stream is named")
		}
	case Drop:
		if a.Position, err = strconv.ParseInt(form.Get("position"), 10, 64); err == nil && a.Reason == "" {
			err = errors.New("say why the event is dropped: the reason goes on record")
		}
	case Pause:
		if a.Reason == "" {
			err = errors.New("say why the consumer is paused: others will wonder")
		}
	case Resize:
		if a.Segments, err = strconv.Atoi(form.Get("segments")); err != nil {
			err = errors.New("the number of segments is not a number")
		}
	case Reset:
		if form.Get("confirm") != a.Consumer {
			err = errors.New("type the name of the consumer to confirm the reset")
		}
	case Resume:
	default:
		err = fmt.Errorf("there is no action %q", clip(40, string(a.Kind)))
	}
	if err == nil && len(a.Reason) > maxReason {
		err = fmt.Errorf("a reason of %d bytes; the longest is %d", len(a.Reason), maxReason)
	}
	return a, err
}

// after returns where the browser goes after an action.
func after(a Action, err error, notice string) string {
	switch {
	case a.Kind == Drop, a.Kind == Retry && err == nil:
		return link("parked", "consumer", a.Consumer, "notice", notice)
	case a.Kind == Retry:
		return link("parked", "consumer", a.Consumer, "notice", notice)
	default:
		return link("consumer", "name", a.Consumer, "notice", notice)
	}
}
