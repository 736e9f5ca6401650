// Package mapping holds what the code that eventmap-gen writes calls to turn events into what is stored and back. Programs
// call the generated functions instead; the contract between them and a store is package runtime.
package mapping
