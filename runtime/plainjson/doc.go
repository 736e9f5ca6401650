// Package plainjson holds what the encoders and decoders that eventmap-gen generates are made of. Programs do not call it.
//
// It writes and reads plain JSON without reflection: the JSON that encoding/json would write, byte for byte, and of which
// it would read the same values. Whatever is not plain it leaves to encoding/json:
//
//   - A value: a string with a character that is escaped, a float with an exponent, a map, a type with methods for its JSON.
//     encoding/json writes or reads that value in its place.
//   - A payload: one that is not valid, that gives a name twice or in another case, or that has null, or a number, where the
//     type has none such. Writer and reader say so, once, at the end; then encoding/json writes or reads the whole of it, and
//     its result or error counts.
//
// So neither bytes nor values nor errors depend on whether code was generated, or on which engine encoding/json has: that of
// Go 1.26 or that of Go 1.27.
package plainjson
