package accesslog

// A histogram counts seconds by bucket; the last count is for what is above all
// bounds.
type histogram struct {
	counts []uint64
	sum    float64 // seconds
}

// observe adds seconds to the histogram with these labels; less than 0 is none.
func observe(histograms map[labels]*histogram, l labels, bounds []float64, seconds float64) {
	if seconds < 0 {
		return
	}
	h := histograms[l]
	if h == nil {
		h = &histogram{counts: make([]uint64, len(bounds)+1)}
		histograms[l] = h
	}
	i := 0
	for i < len(bounds) && seconds > bounds[i] {
		i++
	}
	h.counts[i]++
	h.sum += seconds
}
