package console

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"net/http"
	"path"
	"time"
)

//go:embed assets/console.css
var styleSheet []byte

//go:embed assets/console.js
var script []byte

// An asset is a file that pages refer to, with a part of its hash, so that it can be kept for ever.
type asset struct {
	content     []byte
	contentType string
	version     string
}

var assets = map[string]asset{
	"console.css": newAsset(styleSheet, "text/css; charset=utf-8"),
	"console.js":  newAsset(script, "text/javascript; charset=utf-8"),
}

func newAsset(content []byte, contentType string) asset {
	sum := sha256.Sum256(content)
	return asset{content, contentType, hex.EncodeToString(sum[:6])}
}

// assetLink returns the reference to an asset.
func assetLink(name string) string { return name + "?v=" + assets[name].version }

func serveAsset(w http.ResponseWriter, r *http.Request) {
	name := path.Base(r.URL.Path)
	a := assets[name]
	h := w.Header()
	h.Set("Content-Type", a.contentType)
	h.Set("ETag", `"`+a.version+`"`)
	if r.URL.Query().Get("v") == a.version {
		h.Set("Cache-Control", "private, max-age=31536000, immutable")
	}
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(a.content))
}
