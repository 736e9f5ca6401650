package fingerprint

import (
	"go/token"
	"go/types"
	"strings"
)

// calledByConvention are names of methods that the standard library calls on values it is given: encoders, formatters, sorts
// and the like.
var calledByConvention = names(
	"String GoString Format Error Unwrap Is As",
	"MarshalJSON UnmarshalJSON MarshalJSONTo UnmarshalJSONFrom MarshalText UnmarshalText AppendText",
	"MarshalBinary UnmarshalBinary AppendBinary MarshalXML UnmarshalXML GobEncode GobDecode",
	"IsZero Equal Compare Len Less Swap Push Pop Scan Value Read Write Close",
)

func names(lists ...string) map[string]bool {
	set := map[string]bool{}
	for _, list := range lists {
		for _, name := range strings.Fields(list) {
			set[name] = true
		}
	}
	return set
}

const mapOrder = "the order of a map"

// varying are functions and variables outside whose values differ between two runs, by package: all of them, where no names
// are listed. The texts say what they depend on.
var varying = map[string]struct {
	reason string
	names  map[string]bool
}{
	"time":         {"the clock", names("Now Since Until After AfterFunc Tick NewTimer NewTicker Sleep LoadLocation")},
	"math/rand":    {"chance", nil},
	"math/rand/v2": {"chance", nil},
	"crypto/rand":  {"chance", nil},
	"os":           {"the environment", nil},
	"os/exec":      {"the environment", nil},
	"os/user":      {"the environment", nil},
	"os/signal":    {"the environment", nil},
	"syscall":      {"the environment", nil},
	"net": {"the network", names("Dial DialTimeout DialIP DialTCP DialUDP DialUnix Listen ListenPacket ListenTCP ListenUDP Interfaces InterfaceAddrs " +
		"LookupAddr LookupCNAME LookupHost LookupIP LookupMX LookupNS LookupPort LookupSRV LookupTXT ResolveIPAddr ResolveTCPAddr ResolveUDPAddr")},
	"net/http":               {"the network", names("Get Head Post PostForm Do DefaultClient DefaultTransport")},
	"runtime":                {"the process it runs in", nil},
	"runtime/debug":          {"the process it runs in", nil},
	"flag":                   {"the environment", nil},
	"maps":                   {mapOrder, names("Keys Values All")},
	"hash/maphash":           {"chance", nil},
	"github.com/google/uuid": {"chance", names("New NewString NewRandom NewRandomFromReader NewUUID NewV6 NewV7 NewV7FromReader NewDCEGroup NewDCEPerson NewDCESecurity")},
}

// reachOutside adds the package of an object whose source was not read. Go's release stands for the standard library.
func (w *walk) reachOutside(object types.Object) {
	if path := object.Pkg().Path(); !w.source.Standard(path) {
		w.outside[path] = true
	}
}

// callOutside notes that code outside runs: which methods it may call back, and that the import is part of the result.
func (w *walk) callOutside(f *types.Func) {
	w.reachOutside(f)
	pkg := f.Pkg()
	if !w.source.Standard(pkg.Path()) || pkg.Path() == "reflect" || pkg.Path() == "text/template" || pkg.Path() == "html/template" {
		w.callAll = true
		return
	}
	for _, name := range pkg.Scope().Names() {
		typeName, ok := pkg.Scope().Lookup(name).(*types.TypeName)
		if !ok {
			continue
		}
		if i, ok := typeName.Type().Underlying().(*types.Interface); ok {
			for m := range i.Methods() {
				w.called[m.Name()] = true
			}
		}
	}
}

// checkVarying refuses a function or variable of another package whose value differs between two runs.
func (v visitor) checkVarying(object types.Object, pos token.Pos) {
	rule, ok := varying[object.Pkg().Path()]
	if !ok || isLocal(object) || rule.names != nil && !rule.names[object.Name()] {
		return
	}
	switch object.(type) {
	case *types.TypeName, *types.Const:
		return
	}
	if strings.HasPrefix(object.Name(), "Err") {
		return
	}
	name := object.Pkg().Name() + "." + object.Name()
	if rule.reason == mapOrder {
		v.warn(pos, "%s gives %s, which differs from run to run; sort it if the order can matter", name, rule.reason)
		return
	}
	v.refuse(pos, "%s depends on %s, so folding the same events twice may give two states; put the value into the event", name, rule.reason)
}
