package plainjson_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/eventmap/eventmap/runtime/plainjson"
)

type (
	point struct {
		X, Y int
		At   time.Time `json:"at"`
		skip bool
	}
	// What is as good as a point.
	samePoint struct {
		X, Y int
		At   time.Time `json:"at" other:"tag"`
		Left func()    `json:"-"`
	}
	// What is not.
	longer  struct{ point }
	renamed struct {
		X, Y int
		At   time.Time `json:"when"`
	}
	retyped struct {
		X  int
		Y  int64
		At time.Time `json:"at"`
	}
	reordered struct {
		Y, X int
		At   time.Time `json:"at"`
	}
	methodical struct {
		X, Y number
		At   time.Time `json:"at"`
	}
	number int
)

func (n number) MarshalJSON() ([]byte, error) { return json.Marshal(int(n)) }

// fingerprint is that of a point.
const fingerprint = "16e8a7321cbbe09f"

func TestType_isSameAsLongAsItsJSONIs(t *testing.T) {
	t.Parallel()
	_ = point{}.skip
	for name, row := range map[string]struct {
		typ  *plainjson.Type
		want bool
	}{
		"point":      {plainjson.TypeOf[point](fingerprint), true},
		"samePoint":  {plainjson.TypeOf[samePoint](fingerprint), true},
		"longer":     {plainjson.TypeOf[longer](fingerprint), false},
		"renamed":    {plainjson.TypeOf[renamed](fingerprint), false},
		"retyped":    {plainjson.TypeOf[retyped](fingerprint), false},
		"reordered":  {plainjson.TypeOf[reordered](fingerprint), false},
		"methodical": {plainjson.TypeOf[methodical](fingerprint), false},
		"list":       {plainjson.TypeOf[[]point](fingerprint), false},
	} {
		if got := row.typ.IsSame(); got != row.want {
			t.Errorf("%s is the same: %t", name, got)
		}
	}
}
