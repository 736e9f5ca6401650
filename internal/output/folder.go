package output

import (
	"bytes"
	"os"
	"path/filepath"
	"sync"

	"github.com/eventmap/eventmap/internal/gen"
)

// A Folder is an output folder as a run finds it. Each of its files is read once, by whoever asks first. Several goroutines may
// use it. What it returns must not be changed.
type Folder struct {
	dir string // as the user names it
	abs string // absolute

	mu   sync.Mutex
	read map[string][]byte // by absolute path
}

// NewFolder returns the folder of that path, which need not exist.
func NewFolder(dir string) *Folder {
	abs, err := filepath.Abs(dir)
	if err != nil {
		abs = dir // there is no working directory, and nothing in it can be read
	}
	return &Folder{dir: dir, abs: abs, read: map[string][]byte{}}
}

// path returns the absolute path of a file of the folder.
func (f *Folder) path(name string) string { return filepath.Join(f.abs, filepath.FromSlash(name)) }

// ReadFile returns what the file of that absolute path holds, or held when it was first read.
func (f *Folder) ReadFile(name string) ([]byte, error) {
	name = filepath.Clean(name)
	if content, ok := f.known(name); ok {
		return content, nil
	}
	content, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.read[name] = content
	return content, nil
}

func (f *Folder) known(name string) (content []byte, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	content, ok = f.read[name]
	return content, ok
}

// Current returns what a file of the folder holds with LF line ends, or nil for one that cannot be read.
func (f *Folder) Current(path string) []byte {
	content, err := f.ReadFile(f.path(path))
	if err != nil {
		return nil
	}
	return lf(content)
}

// Plan is [NewPlan] for the folder. A file that held what was generated when it was first read is current; any other is
// read again, so that nothing is written over that came in between.
func (f *Folder) Plan(files []gen.File, owner Owner) (*Plan, error) {
	return newPlan(f.dir, files, owner, func(file gen.File) bool {
		content, ok := f.known(f.path(file.Path))
		return ok && bytes.Equal(lf(content), file.Content)
	})
}
