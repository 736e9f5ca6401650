package model

import (
	"errors"
	"fmt"
	"testing"
)

func TestProblems_Error_isSortedAndSaysEachOnce(t *testing.T) {
	t.Parallel()
	a1 := Problem{Pos: Position{File: "a.go", Line: 1, Col: 1}, Message: "one"}
	problems := Problems{
		{Pos: Position{File: "b.go", Line: 1, Col: 1}, Message: "three"},
		{Pos: Position{File: "a.go", Line: 1, Col: 1}, Message: "two"},
		a1,
		{Message: "nowhere"},
		a1,
	}
	want := "nowhere\na.go:1:1: one\na.go:1:1: two\nb.go:1:1: three"
	if got := problems.Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if problems[0].Message != "three" {
		t.Error("sorting changed the receiver")
	}
}

func TestProblems_Err(t *testing.T) {
	t.Parallel()
	if err := (Problems{}).Err(); err != nil {
		t.Errorf("no problems are the error %v", err)
	}
	err := fmt.Errorf("scan: %w", Problems{{Message: "x"}}.Err())
	var problems Problems
	if !errors.As(err, &problems) || len(problems) != 1 {
		t.Errorf("%v does not hold its problems", err)
	}
}
