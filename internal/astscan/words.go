package astscan

import (
	"strings"
	"unicode"
)

// SoundsLikeEvent reports whether a name says that something happened: it ends in a past participle.
func SoundsLikeEvent(name string) bool {
	last := words(name)
	if len(last) == 0 {
		return false
	}
	word := strings.ToLower(last[len(last)-1])
	return len(word) > 4 && strings.HasSuffix(word, "ed") || irregular[word]
}

var irregular = map[string]bool{
	"begun": true, "bought": true, "broken": true, "built": true, "chosen": true, "done": true, "drawn": true, "frozen": true, "given": true, "held": true,
	"left": true, "lost": true, "made": true, "paid": true, "rebuilt": true, "sent": true, "shut": true, "sold": true, "spent": true, "split": true,
	"stolen": true, "taken": true, "withdrawn": true, "won": true, "written": true,
}

// soundsLikeCommand reports whether a name says what is to be done: it begins with an imperative.
func soundsLikeCommand(name string) bool {
	all := words(name)
	return len(all) > 1 && imperatives[strings.ToLower(all[0])] && !SoundsLikeEvent(name)
}

var imperatives = map[string]bool{
	"accept": true, "activate": true, "add": true, "approve": true, "assign": true, "book": true, "cancel": true, "change": true, "close": true, "complete": true,
	"confirm": true, "create": true, "deactivate": true, "delete": true, "deliver": true, "deposit": true, "disable": true, "enable": true, "finish": true,
	"get": true, "invite": true, "list": true, "make": true, "mark": true, "move": true, "open": true, "pay": true, "place": true, "publish": true, "refund": true,
	"register": true, "reject": true, "remove": true, "rename": true, "reserve": true, "send": true, "set": true, "ship": true, "start": true, "stop": true,
	"submit": true, "transfer": true, "update": true, "withdraw": true,
}

// words returns the words of a name in camel case.
func words(name string) []string {
	var all []string
	begin := 0
	runes := []rune(name)
	for i := 1; i < len(runes); i++ {
		if unicode.IsUpper(runes[i]) && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			all, begin = append(all, string(runes[begin:i])), i
		}
	}
	return append(all, string(runes[begin:]))
}
