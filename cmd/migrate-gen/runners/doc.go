// Package runners has only tests: the tools that migrate-gen writes for run what it wrote, up, down, and up again. It is
// a module of its own, so that nobody who uses eventmap downloads those tools.
package runners
