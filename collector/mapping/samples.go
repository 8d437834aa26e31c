package mapping

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"status_exporter/collector/query"
	"status_exporter/collector/spare"
)

// samples makes the samples of one item.
func (e *evaluation) samples(r *rule, item any) {
	switch {
	case r.kind == Info:
		e.emit(r, item, Sample{Value: 1}, "")
	case r.kind == StateSet:
		e.states(r, item)
	case r.shape != nil:
		d, p := r.shape.find(e, item)
		if p != nil {
			e.drop(r, p, item)
			return
		}
		e.emit(r, item, Sample{rare: &rare{distribution: d}}, "")
	case r.values != nil:
		for i, v := range r.values {
			if i%lookEvery == lookEvery-1 && e.ended() {
				return
			}
			e.sample(r, v.query, item, v.text)
		}
	default:
		e.sample(r, r.value, item, "")
	}
}

// sample makes the sample of one expression.
func (e *evaluation) sample(r *rule, q *query.Query, item any, state string) {
	v, p := e.one(q, item)
	if p != nil {
		e.drop(r, p, item)
		return
	}
	f, p := r.texts.number(q, v)
	if p != nil {
		e.drop(r, p, item)
		return
	}
	e.emit(r, item, Sample{Value: f}, state)
}

// states makes one sample for each state. A text that is none of them makes all
// states 0: that none of the known states holds is true.
func (e *evaluation) states(r *rule, item any) {
	v, p := e.one(r.value, item)
	if p != nil {
		e.drop(r, p, item)
		return
	}
	text, _ := scalarText(v)
	text = strings.TrimSpace(text)
	if !slices.Contains(r.states, text) {
		e.drop(r, &problem{reason: UnknownState, query: r.value, found: v, detail: "expected one of " + strings.Join(r.states, ", ")}, item)
	}
	for i, state := range r.states {
		if i%lookEvery == lookEvery-1 && e.ended() {
			return
		}
		value := 0.0
		if state == text {
			value = 1
		}
		e.emit(r, item, Sample{Value: value}, state)
	}
}

// emit adds a sample of one item; state is the value of the label that differs
// between the samples of the item, where there is one.
func (e *evaluation) emit(r *rule, item any, s Sample, state string) {
	series := 1
	if d := s.Distribution(); d != nil {
		series += len(d.Buckets) + len(d.Quantiles)
	}
	if !e.room(series) {
		e.drop(r, e.tooMany(), item)
		return
	}
	if r.created != nil {
		created, p := e.one(r.created, item)
		var at time.Time
		if p == nil {
			at, p = unixTime(r.created, created)
		}
		switch {
		case p == nil:
			s.setCreated(at)
		case p.reason != Missing:
			e.drop(r, p, item)
			return
		}
	}
	s.Labels = e.labelsOf(r, state)
	f := &e.found[r.family.Index]
	f.samples = append(spare.Room(f.samples), s)
	f.origins = append(spare.Room(f.origins), origin{e.note(item), int32(r.index)})
	e.findings[r.index].Samples++
	e.count += series
}

// room tells whether the probe may have n more samples.
func (e *evaluation) room(n int) bool { return e.count+n <= e.in.Limits.Samples }

// tooMany returns the problem that it may not.
func (e *evaluation) tooMany() *problem {
	if e.full == nil {
		e.full = &problem{reason: OverLimit, detail: fmt.Sprintf("the probe would have more than %d samples with it, which is the limit", e.in.Limits.Samples)}
	}
	return e.full
}

// note returns where the item that is being mapped stands in e.items.
func (e *evaluation) note(item any) int32 {
	if e.noted < 0 {
		e.noted = int32(len(e.items))
		e.items = append(spare.Room(e.items), item)
	}
	return e.noted
}

// labelsOf returns the labels of a sample. Rules of a group that have the same
// labels share those of an item: sorting and printing then meet each set once.
func (e *evaluation) labelsOf(r *rule, state string) []Label {
	if r.set == 0 {
		return e.sampleLabels(r, state)
	}
	if e.sharedSet != r.set || e.sharedAt != e.written {
		e.shared, e.sharedSet, e.sharedAt = e.sampleLabels(r, ""), r.set, e.written
	}
	return e.shared
}

// Labels are allocated in slabs that grow from the first size to the last.
const (
	firstSlab = 16
	lastSlab  = 4096
)

// sampleLabels returns the labels of a sample, sorted by name. An empty label is
// left out: Prometheus takes it for an absent one, which the named target may set.
func (e *evaluation) sampleLabels(r *rule, state string) []Label {
	if need := len(r.slots) + len(e.extra); cap(e.labels)-len(e.labels) < need {
		e.labels = make([]Label, 0, max(need, firstSlab, min(2*cap(e.labels), lastSlab)))
	}
	start := len(e.labels)
	defer func() { e.labelled += len(e.labels) - start }()
	extra := e.extra
	for i := range r.slots {
		s := &r.slots[i]
		value := s.constant
		switch {
		case s.register == stateSlot:
			value = state
		case s.register >= 0:
			value = e.registers[s.register]
		}
		if value == "" {
			continue
		}
		for len(extra) > 0 && extra[0].Name <= s.name {
			if extra[0].Name < s.name { // the rule's own label wins
				e.labels = append(e.labels, extra[0])
			}
			extra = extra[1:]
		}
		e.labels = append(e.labels, Label{s.name, value})
	}
	e.labels = append(e.labels, extra...)
	return e.labels[start:len(e.labels):len(e.labels)]
}
