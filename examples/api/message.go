package main

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/eventmap/eventmap/runtime"
)

// readJSON decodes the body of a request into v: one JSON value of at most 64 KiB without unknown members.
func readJSON(w http.ResponseWriter, r *http.Request, v any) error {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(v)
	if err == nil && decoder.More() {
		err = errors.New("there is something behind the JSON value")
	}
	switch _, tooLarge := errors.AsType[*http.MaxBytesError](err); {
	case err == nil:
		return nil
	case tooLarge:
		return &problem{Status: http.StatusRequestEntityTooLarge, Detail: "the body has more than 64 KiB"}
	case errors.Is(err, io.EOF):
		return &problem{Status: http.StatusBadRequest, Detail: "the body is empty"}
	}
	return &problem{Status: http.StatusBadRequest, Detail: "the body: " + err.Error()}
}

// writeJSON answers with a value, and with the version of the stream it comes from as the entity tag.
func writeJSON(w http.ResponseWriter, status int, version int64, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("ETag", entityTag(version))
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // it fails if the client has gone
	return nil
}

// entityTag returns the entity tag of a version of a stream: `"3"`.
func entityTag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// ifMatch returns how a command is to be executed by the header If-Match (RFC 9110, section 13.1.1), which has to be there:
// at the version that an entity tag names, or, for an asterisk, at any.
func ifMatch(r *http.Request) ([]runtime.ExecuteOption, error) {
	switch tag := r.Header.Get("If-Match"); tag {
	case "":
		return nil, &problem{Status: http.StatusPreconditionRequired, Detail: `the header If-Match is missing: the ETag of what you saw, such as "3"`}
	case "*":
		return nil, nil
	default:
		version, err := strconv.ParseInt(strings.Trim(tag, `"`), 10, 64)
		if err != nil || tag != entityTag(version) {
			return nil, &problem{Status: http.StatusBadRequest, Detail: "If-Match is no ETag of this service: " + tag}
		}
		return []runtime.ExecuteOption{runtime.IfVersion(version)}, nil
	}
}

// notModified answers with 304 if the client has this version already, which it says by If-None-Match.
func notModified(w http.ResponseWriter, r *http.Request, version int64) bool {
	for tag := range strings.SplitSeq(r.Header.Get("If-None-Match"), ",") {
		tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
		if tag == "*" || tag == entityTag(version) {
			w.Header().Set("ETag", entityTag(version))
			w.WriteHeader(http.StatusNotModified)
			return true
		}
	}
	return false
}
