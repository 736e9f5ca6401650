package migration

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/eventmap/eventmap/internal/gen"
)

// sumPrefix names the kind of checksum in atlas.sum, as in go.sum.
const sumPrefix = "h1:"

// isSum reports whether content looks like a checksum file. Whoever wrote it, it is made anew from what is in the folder.
func isSum(content []byte) bool { return bytes.HasPrefix(content, []byte(sumPrefix)) }

// sum returns atlas.sum for a folder that gets the written files: for each migration, ours or not, in the order of their
// names, a hash of it and all before it, and at the top a hash of these lines.
func sum(name string, folder Folder, written []gen.File) gen.File {
	content := make(Folder)
	for file, text := range folder {
		content[file] = text
	}
	for _, file := range written {
		content[file.Path] = file.Content
	}
	var names []string
	for file := range content {
		if strings.HasSuffix(file, ".sql") {
			names = append(names, file)
		}
	}
	slices.Sort(names)
	running, total := sha256.New(), sha256.New()
	var lines strings.Builder
	for _, file := range names {
		running.Write([]byte(file))
		running.Write(content[file])
		hash := base64.StdEncoding.EncodeToString(running.Sum(nil))
		total.Write([]byte(file + hash))
		fmt.Fprintf(&lines, "%s %s%s\n", file, sumPrefix, hash)
	}
	top := sumPrefix + base64.StdEncoding.EncodeToString(total.Sum(nil)) + "\n"
	return gen.File{Path: name, Content: []byte(top + lines.String())}
}
