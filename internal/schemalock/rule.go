package schemalock

// A Verdict says what becomes of a change to an event that is locked.
type Verdict string

const (
	// Taken changes are taken into the lock: events that are stored read as before.
	Taken Verdict = "taken"
	// Breaking changes stop the run: a stored event could no longer be read, or not whole, or would say what was never
	// recorded.
	Breaking Verdict = "breaking"
	// Warning changes are taken into the lock and told.
	Warning Verdict = "warning"
)

// A Rule names a kind of change and judges it.
type Rule struct {
	Name    string
	Verdict Verdict
	Change  string // what was changed
	Why     string // what that does to events that are stored
	Remedy  string // what to do instead; VERSION stands for the version that is changed, NEXT for the next that is free
}

const (
	newVersion = "keep version VERSION as it was and add version NEXT with an upcaster"
	accept     = "--accept-breaking"
)

// Rules are all of them, in the order in which they are documented.
var Rules = []Rule{
	{"event-added", Taken, "a new event", "none is stored", ""},
	{"version-added", Taken, "a new version of an event", "none is stored", ""},
	{"field-added", Taken, "a new field that can be missing: optional (omitempty, omitzero), or a pointer, slice or map", "reads as nil or zero, which says that it was not there", ""},
	{"field-optional", Taken, "a field becomes optional, or no longer is", "one that is missing always reads as zero", ""},
	{"number-widened", Taken, "a number becomes wider: int32 to int64, uint8 to int, int32 to float64, any number to json.Number", "every number that is stored still fits", ""},
	{"made-nullable", Taken, "T becomes *T", "every value that is stored is still one", ""},
	{"array-to-slice", Taken, "an array becomes a slice", "every element that is stored is still one", ""},
	{"text-to-string", Taken, "a text that its type writes itself, as time.Time and UUIDs do, or a number in a string or in a map's key becomes a string", "it stays as it was written", ""},
	{"left-as-json", Taken, "anything becomes json.RawMessage", "it stays as it was written", ""},
	{"type-moved", Taken, "the Go type moves or is renamed, and its event keeps its name", "the type's name is not stored", ""},
	{"source-only", Taken, "doc comments, the order of fields, names of Go fields and of the types of fields", "they are not stored", ""},

	{"field-removed", Breaking, "a field is removed", "what is stored in it is lost", newVersion},
	{"field-renamed", Breaking, "a field's name in JSON changes", "what is stored under the old name is lost", "tag it `json:\"OLD\"`; or " + newVersion},
	{"field-recased", Breaking, "a field's name in JSON changes in its case alone", "encoding/json reads the old name too, but SQL, indexes and other readers of the payload do not", "tag it `json:\"OLD\"`; or " + newVersion},
	{"field-required", Breaking, "a new field that is always written", "events that are stored lack it, and would seem to say that it is zero", "tag it `json:\"OLD\"` if zero means that it is not known, or make it a pointer; or " + newVersion},
	{"kind-changed", Breaking, "a field's kind changes: a number to a string, a string to a time, an object to a list, `string` in its tag", "what is stored can no longer be read, or means something else", newVersion},
	{"number-narrowed", Breaking, "a number becomes narrower: int64 to int32, int to uint, float64 to int, int64 to float64", "numbers that are stored may not fit, or lose digits", newVersion},
	{"no-longer-nullable", Breaking, "*T becomes T, embedded or not", "a null that is stored, or what is missing for a nil, would read as zero", newVersion},
	{"array-length", Breaking, "an array's length changes, or a slice becomes an array", "elements are lost or made up", newVersion},
	{"marshaler-swapped", Breaking, "the type that writes or reads a field's JSON itself is another, or no longer does, or now does", "it may not read what the old one wrote", newVersion + "; or, if it reads all that the old one wrote, or none was ever stored, " + accept + " EVENT"},
	{"constants-renumbered", Breaking, "a number of an enumeration is another's: a constant is put between others of an iota, or two change places", "what is stored means something else", "put a new constant after the others, or write their numbers out; or " + newVersion},
	{"subject-added", Breaking, "a new field that is marked //eventmap:subject", "events that are stored lack it, and do not say whom they are about", newVersion},
	{"personal-removed", Breaking, "a field is no longer marked //eventmap:personal", "what is stored of it is sealed, and cannot be read as it is", "keep the mark; or " + newVersion},
	{"personal-subject", Breaking, "a personal field is about another subject than before", "to forget a subject would leave what is stored of it readable", newVersion},
	{"personal-ambiguous", Breaking, "a map, an object or any JSON is marked //eventmap:personal", "what is stored in clear could be taken for a sealed value", newVersion},
	{"version-removed", Breaking, "a version of an event is removed", "stored events of it can no longer be read", "bring its type back"},
	{"version-changed", Breaking, "a type that was one version of an event is another", "stored events of the old version can no longer be read", "keep a copy of the type as it was as version VERSION and turn it into the new one with //eventmap:upcast"},
	{"event-removed", Breaking, "an event is removed", "stored events of it can no longer be read", "keep its type as long as the log holds one"},
	{"event-unshared", Breaking, "an event of several aggregates is no longer one of this", "its streams hold events that can no longer be read", "name it in the mark as well: aggregate=OLD"},
	{"event-renamed", Breaking, "the name that an event is stored under changes", "stored events of the old name can no longer be read", "pin it with //eventmap:event name=OLD"},
	{"type-renamed", Breaking, "an event's Go type is renamed, and its event with it", "stored events of the old name can no longer be read", "renamed? pin it with //eventmap:event name=OLD"},
	{"aggregate-renamed", Breaking, "the name that an aggregate is stored under changes", "its streams can no longer be found", "pin it with aggregate=OLD on each event's mark, //eventmap:events OLD on their interface, or //eventmap:aggregate OLD above the package clause"},
	{"stream-id-changed", Breaking, "the type whose String calls the streams of an aggregate is another", "streams whose names it writes otherwise are no longer found", "keep the type; or, if it calls every stream as the old one did, --accept-breaking EVENT"},

	{"no-upcaster", Warning, "an old version has no upcaster", "readers get it as it is: its handler has a method of its own for it", "turn it into a later version with //eventmap:upcast, unless you mean it so"},
	{"upcaster-removed", Warning, "an old version had an upcaster, and has none now", "readers who got the later version get the old one from now on", "bring the upcaster back"},
	{"constant-gone", Warning, "a number of an enumeration has no constant any more", "where it is stored, no code knows it by name", "keep a constant for it as long as it may be stored"},
	{"stream-id-typed", Warning, "the streams of an aggregate are called by a type's String, and were by a plain string", "streams whose names it writes otherwise are no longer found", "make sure that it calls them as they are stored, to the case of each letter"},
	{"personal-added", Warning, "a field is marked //eventmap:personal", "events that are stored already hold it in clear for ever; both forms are read", "nothing brings them under a key; move what must be forgotten to a new log, if it must"},
	{"personal-older", Warning, "a new version of an event marks //eventmap:personal what an older version has without the mark", "events that are stored as the older version hold it in clear for ever, whatever upcasts them", "nothing brings them under a key; move what must be forgotten to a new log, if it must"},
	{"personal-newer", Warning, "a new version of an event has without the mark what the version before marks //eventmap:personal", "events that are stored as the new version hold it in clear for ever", "mark it //eventmap:personal, unless it is no longer personal"},
	{"forget-added", Warning, "an event that may be stored already is marked //eventmap:forget", "the consumer that forgets has passed those that are stored", "Reset the consumer that forgets once it knows of the mark, unless it is new"},
	{"forget-removed", Warning, "an event is no longer marked //eventmap:forget", "those that are stored from now on forget nobody", "bring the mark back, unless something else forgets whom they name"},
	{"forget-subject", Warning, "an event says to forget another subject than before", "whom the stored ones named is forgotten no more where they are handled from now on", "name the subject that is to be forgotten, and Reset the consumer that forgets"},
	{"forget-newer", Warning, "a new version of an event has no mark //eventmap:forget, and the version before has one", "those that are stored as the new version forget nobody", "mark it //eventmap:forget, unless something else forgets whom they name"},
	{"fold-changed", Warning, "the code that turns the events of an aggregate with snapshots into its state", "snapshots of the former code are not read any more", "nothing is to be done: each stream is folded from its first event once, and gets a new snapshot"},
	{"types-exchanged", Warning, "an event's Go type is the one that another event had, of the same form", "they are read as that type, which may stand for something else", "give them their own type again, unless the types were merely renamed"},
	{"lock-missing", Warning, "the lock is gone, and code that was generated with it is there", "nothing is compared: a change that breaks them is not seen", "bring it back, or say where it is with --lock"},
	{"version-gap", Warning, "a version between others is missing", "a stored event of it cannot be read (runtime.ErrUnknownEvent)", "bring it back, if there ever was one"},
}

// rule returns the rule of a name.
func rule(name string) *Rule {
	for i := range Rules {
		if Rules[i].Name == name {
			return &Rules[i]
		}
	}
	panic("schemalock: there is no rule " + name)
}
