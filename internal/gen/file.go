// Package gen holds what the generators have in common: the file, which is all they return. Its subpackages turn a
// model into files: gocode into Go, sqlcode into SQL, catalog into documents. They are pure: they read no disk, no clock and no environment,
// and the same model gives the same bytes.
package gen

// A File is one generated file, not yet written.
type File struct {
	Path    string // relative to the output folder, with forward slashes
	Content []byte // with LF line ends
	// Once says that the file records a moment and is never overwritten: it is written where it is missing, and an
	// existing one stays as it is, whoever wrote it.
	Once bool
	// Renew says that an existing file is overwritten after all, whoever wrote it: the moment that it recorded never was.
	Renew bool
}
