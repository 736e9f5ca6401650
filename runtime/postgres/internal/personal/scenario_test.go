package personal_test

import (
	"testing"

	"github.com/eventmap/eventmap/runtime/postgres/internal/personal/domain/letter"
	scenario "github.com/eventmap/eventmap/runtime/postgres/internal/personal/personalstore/personalstoretest"
)

// A scenario forgets subjects: what is theirs reads as erased, what others wrote stays, and nothing more of theirs is stored.
func TestScenario_givenForgotten(t *testing.T) {
	t.Parallel()
	written := scenario.LetterScenario(t).Given(
		letter.Written{By: "ada", Subject: "abc", Body: "defg", Pages: 1},
		letter.Written{By: "grace", Subject: "ab", Body: "c", Pages: 2},
	)
	write := func(by string) func(letter.Letter) ([]letter.Event, error) {
		return func(letter.Letter) ([]letter.Event, error) {
			return []letter.Event{letter.Written{By: by, Pages: 4}}, nil
		}
	}
	written.ThenState(letter.Letter{Pages: 3, Bytes: 10})
	written.GivenForgotten("ada").
		ThenState(letter.Letter{Pages: 3, Bytes: 3}).
		When(write("grace")).Then(letter.Written{By: "grace", Pages: 4}).
		ThenState(letter.Letter{Pages: 7, Bytes: 3}).
		GivenForgotten("grace").
		ThenState(letter.Letter{Pages: 7})
	written.When(write("ada")).Then(letter.Written{By: "ada", Pages: 4}) // a scenario is not changed by what follows from it
}
