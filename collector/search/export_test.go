package search

// Slowly makes a search read even a short text through its reader.
func (s *Search) Slowly() *Search {
	s.quick = 0
	return s
}
