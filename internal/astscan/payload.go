package astscan

func (s *scan) checkPayloads() {}
