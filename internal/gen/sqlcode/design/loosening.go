package design

// Loosens returns what a former design protects and this one no longer does, each as the flag and what becomes possible.
func (d Design) Loosens(former Design) []string {
	var lost []string
	if former.AppendOnly && !d.AppendOnly {
		lost = append(lost, "--append-only: events can be changed and removed")
	}
	if former.Strict && !d.Strict {
		lost = append(lost, "--strict: events that the domain does not have can be stored")
	}
	if layout := d.Partition.Layout; layout != former.Partition.Layout {
		switch {
		case layout == "hash":
			lost = append(lost, "--partition: an event that is stored in one stream can be stored again in another")
		case former.Partition.Layout == none:
			lost = append(lost, "--partition: an event can be stored twice by two appends to different streams at the same moment")
		}
	}
	return lost
}
