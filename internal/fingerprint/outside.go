package fingerprint

import (
	"go/token"
	"go/types"
	"slices"
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

const (
	mapOrder   = "in the order of a map"
	zoned      = "in the time zone of the system"
	goroutines = "the order in which goroutines run"
)

// A variance is what the value of some functions, variables and methods of a package depends on, so that it differs between two
// runs: all of the package, where no names are listed.
type variance struct {
	on    string
	names map[string]bool
}

// varying are the packages outside in which something differs between two runs. What is only ordered or placed otherwise is in
// arranged.
var varying = map[string][]variance{
	"time": {
		{"the clock", names("Now Since Until After AfterFunc Tick NewTimer NewTicker Sleep Timer.Reset Ticker.Reset")},
		{"the time zones of the system", names("Local LoadLocation Time.Local")},
	},
	"context": {
		{"the clock", names("WithTimeout WithTimeoutCause WithDeadline WithDeadlineCause")},
		{goroutines, names("AfterFunc")},
	},
	"sync":     {{goroutines, names("WaitGroup.Go")}},
	"weak":     {{"the garbage collector", nil}},
	"testing":  {{"the process it runs in", nil}},
	"expvar":   {{"the process it runs in", nil}},
	"fmt":      {{"the environment", names("Scan Scanf Scanln")}},
	"mime":     {{"the environment", names("TypeByExtension ExtensionsByType")}},
	"go/build": {{"the environment", nil}},
	"database/sql": {{"a database", names("Open OpenDB DB.Query DB.QueryContext DB.QueryRow DB.QueryRowContext DB.Exec DB.ExecContext DB.Prepare DB.PrepareContext " +
		"DB.Begin DB.BeginTx DB.Conn Conn.QueryContext Conn.QueryRowContext Conn.ExecContext Conn.PrepareContext Conn.BeginTx Tx.Query Tx.QueryContext " +
		"Tx.QueryRow Tx.QueryRowContext Tx.Exec Tx.ExecContext Tx.Prepare Tx.PrepareContext Stmt.Query Stmt.QueryContext Stmt.QueryRow " +
		"Stmt.QueryRowContext Stmt.Exec Stmt.ExecContext")}},
	"crypto/ecdsa":    {{"chance", names("GenerateKey Sign SignASN1")}},
	"crypto/ed25519":  {{"chance", names("GenerateKey")}},
	"crypto/elliptic": {{"chance", names("GenerateKey")}},
	"crypto/rsa":      {{"chance", names("GenerateKey GenerateMultiPrimeKey EncryptOAEP EncryptPKCS1v15 SignPSS")}},
	"math/rand":       {{"chance", nil}},
	"math/rand/v2":    {{"chance", nil}},
	"crypto/rand":     {{"chance", nil}},
	"hash/maphash":    {{"chance", nil}},
	"os":              {{"the environment", nil}},
	"os/exec":         {{"the environment", nil}},
	"os/user":         {{"the environment", nil}},
	"os/signal":       {{"the environment", nil}},
	"io/ioutil":       {{"the environment", nil}},
	"path/filepath":   {{"the environment", names("Abs EvalSymlinks Glob Walk WalkDir")}},
	"plugin":          {{"the environment", nil}},
	"syscall":         {{"the environment", nil}},
	"flag":            {{"the environment", nil}},
	"runtime":         {{"the process it runs in", nil}},
	"runtime/debug":   {{"the process it runs in", nil}},
	"runtime/metrics": {{"the process it runs in", nil}},
	"net": {{"the network", names("Dial DialTimeout DialIP DialTCP DialUDP DialUnix Listen ListenPacket ListenTCP ListenUDP Interfaces InterfaceAddrs " +
		"LookupAddr LookupCNAME LookupHost LookupIP LookupMX LookupNS LookupPort LookupSRV LookupTXT ResolveIPAddr ResolveTCPAddr ResolveUDPAddr " +
		"Dialer.Dial Dialer.DialContext ListenConfig.Listen ListenConfig.ListenPacket Resolver.LookupAddr Resolver.LookupCNAME Resolver.LookupHost " +
		"Resolver.LookupIP Resolver.LookupIPAddr Resolver.LookupMX Resolver.LookupNS Resolver.LookupNetIP Resolver.LookupPort Resolver.LookupSRV " +
		"Resolver.LookupTXT")}},
	"net/http": {{"the network", names("Get Head Post PostForm DefaultClient DefaultTransport Client.Do Client.Get Client.Head Client.Post Client.PostForm")}},
	"github.com/google/uuid": {{"chance", names("New NewString NewRandom NewRandomFromReader NewUUID NewV6 NewV7 NewV7FromReader NewDCEGroup NewDCEPerson " +
		"NewDCESecurity")}},
	"github.com/gofrs/uuid":      {{"chance", names("NewV1 NewV4 NewV6 NewV7 NewGen")}},
	"github.com/gofrs/uuid/v5":   {{"chance", names("NewV1 NewV4 NewV6 NewV7 NewGen")}},
	"github.com/oklog/ulid/v2":   {{"the clock", names("Make Now DefaultEntropy")}},
	"github.com/rs/xid":          {{"the clock", names("New")}},
	"github.com/segmentio/ksuid": {{"chance", names("New NewRandom")}},
}

// built are what differs between builds for two systems, by package: all of it where no names are listed.
var built = map[string]map[string]bool{
	"math/bits":     names("UintSize"),
	"os":            names("DevNull PathListSeparator PathSeparator"),
	"path/filepath": nil,
	"runtime":       names("Compiler GOARCH GOOS"),
	"strconv":       names("IntSize"),
}

// arranged are functions outside whose values are the same in every run but for their order or their zone.
var arranged = map[string][]variance{
	"maps":    {{mapOrder, names("Keys Values All")}},
	"reflect": {{mapOrder, names("Value.MapKeys Value.MapRange")}},
	"sync":    {{mapOrder, names("Map.Range")}},
	"time":    {{zoned, names("Unix UnixMilli UnixMicro")}},
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
	for _, name := range w.callbacksOf(pkg) {
		w.called[name] = true
	}
}

// callbacksOf returns the names of the methods of all interfaces that a package outside declares.
func (c *Code) callbacksOf(pkg *types.Package) []string {
	if known, ok := c.callbacks.Load(pkg); ok {
		return known.([]string)
	}
	var found []string
	for _, name := range pkg.Scope().Names() {
		typeName, ok := pkg.Scope().Lookup(name).(*types.TypeName)
		if !ok {
			continue
		}
		if i, ok := typeName.Type().Underlying().(*types.Interface); ok {
			for m := range i.Methods() {
				found = append(found, m.Name())
			}
		}
	}
	c.callbacks.Store(pkg, found)
	return found
}

// checkVarying refuses a function or variable of another package whose value differs between two runs, and warns of one whose
// order or zone does.
func (v visitor) checkVarying(object types.Object, pos token.Pos) {
	name := shortName(object)
	if _, ok := object.(*types.TypeName); ok || isLocal(object) || strings.HasPrefix(name, "Err") {
		return
	}
	qualified := object.Pkg().Name() + "." + name
	if differs, ok := built[object.Pkg().Path()]; ok && (differs == nil || differs[name]) {
		v.refuse(pos, "%s depends on the system that the program is built for, so two builds that share their snapshots may fold the same events "+
			"to two states; write what is meant, as package path does for slashes", qualified)
		return
	}
	if _, ok := object.(*types.Const); ok {
		return
	}
	for _, variance := range varying[object.Pkg().Path()] {
		if variance.names == nil || variance.names[name] {
			v.refuse(pos, "%s depends on %s, so folding the same events twice may give two states; put the value into the event", qualified, variance.on)
		}
	}
	for _, variance := range arranged[object.Pkg().Path()] {
		switch {
		case !variance.names[name]:
		case variance.on == zoned:
			v.warn(pos, "%s gives a time %s; call UTC on it", qualified, zoned)
		default:
			v.warn(pos, "%s gives values %s, which differs from run to run; sort them if the order can matter", qualified, variance.on)
		}
	}
}

// isArranged reports whether only the order or the zone of what a function gives differs between two runs.
func isArranged(object types.Object) bool {
	return slices.ContainsFunc(arranged[object.Pkg().Path()], func(v variance) bool { return v.names[shortName(object)] })
}

// shortName returns the name of an object within its package; a method has that of its type before it.
func shortName(object types.Object) string {
	f, ok := object.(*types.Func)
	if !ok || f.Signature().Recv() == nil {
		return object.Name()
	}
	recv := types.Unalias(f.Signature().Recv().Type())
	if pointer, ok := recv.(*types.Pointer); ok {
		recv = types.Unalias(pointer.Elem())
	}
	if named, ok := recv.(*types.Named); ok {
		return named.Obj().Name() + "." + f.Name()
	}
	return f.Name()
}
