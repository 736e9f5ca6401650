package schemalock

import "github.com/eventmap/eventmap/internal/model"

// A Judgement is what the comparison of a domain with what is locked gave.
type Judgement struct {
	Findings Findings
	Unused   []string // accepted names of which there was nothing to accept
	Unmoved  []Move   // moves of which the lock has no type
	Content  []byte   // of the lock, as it is to be written if no finding is breaking
}

// Judge compares a domain with what is locked. accepted names the events and aggregates whose breaking changes are taken;
// see [Compare]. generated reports whether there is code that was generated before; it is asked only where the lock is
// missing, which is a finding then.
func Judge(d *model.Domain, b Baseline, accepted []string, generated func() bool) (*Judgement, error) {
	now := Of(d)
	j := Judgement{Content: Encode(now)}
	locked, unmoved, err := b.Read(now, j.Content)
	if err != nil {
		return nil, err
	}
	if locked == nil {
		locked = &Lock{}
		if generated() {
			j.Findings = Findings{Missing(b.Path)}
		}
	}
	compared, unused := Compare(locked, now, accepted)
	j.Findings, j.Unused, j.Unmoved = append(j.Findings, compared...), unused, unmoved
	return &j, nil
}
