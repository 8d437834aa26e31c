package accesslog

// Begin does what the first scrape begins with, without reading anything.
func (s *Source) Begin() {
	<-s.turn
	s.begin()
	s.turn <- struct{}{}
}
