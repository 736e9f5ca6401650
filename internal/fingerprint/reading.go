package fingerprint

// unchanging are types of the standard library that are used by pointer and do not change once they are made.
var unchanging = names("regexp.Regexp time.Location strings.Replacer encoding/base64.Encoding encoding/base32.Encoding")

// reading are functions of the standard library that change nothing that they are handed, by package. What they return refers to
// nothing of it, but for elements.
var reading = map[string]map[string]bool{
	"errors": names("Is Join Unwrap"),
	"fmt":    names("Sprint Sprintf Sprintln Errorf Print Printf Println"),
	"slices": names("Contains ContainsFunc Index IndexFunc Equal EqualFunc Compare CompareFunc BinarySearch BinarySearchFunc Max MaxFunc Min " +
		"MinFunc IsSorted IsSortedFunc Clone Concat Sorted SortedFunc SortedStableFunc Collect All Values Backward Repeat"),
	"maps":          names("Keys Values All Clone Equal EqualFunc"),
	"sort":          names("SearchInts SearchStrings SearchFloat64s IntsAreSorted StringsAreSorted Float64sAreSorted SliceIsSorted"),
	"strings":       names("Join NewReplacer"),
	"bytes":         names("Equal EqualFold Compare Contains ContainsAny Count HasPrefix HasSuffix Index IndexByte LastIndex Clone Join Repeat ToLower ToUpper"),
	"encoding/json": names("Marshal MarshalIndent Valid"),
	"encoding/hex":  names("EncodeToString"),
	"reflect":       names("DeepEqual TypeOf"),
	"crypto/sha256": names("Sum256"),
}

// readingMethods are methods of packages that were not read which change nothing, by type; without a type, those of any map or
// slice.
var readingMethods = map[string]map[string]bool{
	"":               names("Get Has Values Len Less String Error Encode Clone"),
	"math/big.Int":   names("Bit BitLen Cmp CmpAbs Int64 IsInt64 IsUint64 ProbablyPrime Sign String Text TrailingZeroBits Uint64"),
	"math/big.Rat":   names("Cmp Float64 FloatString IsInt RatString Sign String"),
	"math/big.Float": names("Acc Cmp Float64 Int64 IsInf IsInt MinPrec Mode Prec Sign Signbit String Text Uint64"),
	"net/url.URL":    names("EscapedPath Hostname IsAbs JoinPath Parse Port Query RequestURI ResolveReference String"),
}

// changingNumbers are the methods of math/big that change an argument; all others only change their receiver.
var changingNumbers = names("DivMod QuoRem GCD FillBytes Append Format Int Rat")
