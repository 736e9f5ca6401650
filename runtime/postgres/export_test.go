package postgres

// AppendStatements returns the texts of all appends, by what they do.
func AppendStatements[Tx any](s *Store[Tx]) map[string]string {
	return map[string]string{
		"create":         s.sql.create,
		"extend":         s.sql.extend,
		"create one":     s.sql.createOne,
		"extend one":     s.sql.extendOne,
		"append streams": s.sql.appendStreams,
	}
}

// FrontierStatement returns the text that computes the frontier.
func FrontierStatement[Tx any](s *Store[Tx]) string { return s.sql.frontier }
