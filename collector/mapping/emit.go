package mapping

// emit adds a sample of one item; state is the value of the label that differs
// between the samples of the item, where there is one.
func (e *evaluation) emit(r *rule, item any, s Sample, state string) {
	if e.count >= e.in.Limits.Samples {
		e.drop(r, problemf(OverLimit, "the probe has %d samples already, which is the limit", e.count), item)
		return
	}
	if r.created != nil {
		created, p := e.one(r.created, item)
		if p == nil {
			s.Created, p = unixTime(r.created, created)
		}
		if p != nil && p.reason != Missing {
			e.drop(r, p, item)
			return
		}
	}
	s.Labels = e.sampleLabels(r, state)
	e.found[r.family.index] = append(e.found[r.family.index], candidate{s, item, r})
	e.findings[r.index].Samples++
	e.count++
}

// labelSlab is how many labels are allocated at once.
const labelSlab = 1024

// sampleLabels returns the labels of a sample, sorted by name. An empty label is
// left out: Prometheus takes it for an absent one.
func (e *evaluation) sampleLabels(r *rule, state string) []Label {
	need := len(r.slots) + len(e.extra)
	if cap(e.labels)-len(e.labels) < need {
		e.labels = make([]Label, 0, max(labelSlab, need))
	}
	start := len(e.labels)
	extra := e.extra
	for _, slot := range r.slots {
		for len(extra) > 0 && extra[0].Name < slot.name {
			e.labels = append(e.labels, extra[0])
			extra = extra[1:]
		}
		value := slot.constant
		switch slot.register {
		case constantSlot:
		case stateSlot:
			value = state
		default:
			value = e.registers[slot.register]
		}
		if len(extra) > 0 && extra[0].Name == slot.name { // the rule's own label wins
			extra = extra[1:]
		}
		if value != "" {
			e.labels = append(e.labels, Label{slot.name, value})
		}
	}
	e.labels = append(e.labels, extra...)
	return e.labels[start:len(e.labels):len(e.labels)]
}

// skip notes that the document of a rule could not be had: that is told by the
// document's failure, not by every rule.
func (e *evaluation) skip(r *rule) {
	e.findings[r.index].Skipped = true
	for _, child := range r.children {
		e.skip(child)
	}
}

// stopped tells whether the context has ended; it looks at it only now and then.
func (e *evaluation) stopped() bool {
	if e.steps++; e.steps%256 == 0 && e.err == nil {
		e.err = e.ctx.Err()
	}
	return e.err != nil
}

// result removes duplicates and puts everything in order.
func (e *evaluation) result() *Result {
	for i := range e.found {
		if len(e.found[i]) < 2 {
			continue
		}
		e.found[i] = e.rules.families[i].duplicates.merge(e.found[i], func(same []candidate) {
			detail := describeConflict(same)
			for _, c := range same {
				e.findings[c.rule.index].Samples--
				e.drop(c.rule, &problem{reason: Duplicate, detail: detail}, c.item)
			}
		})
	}
	out := &Result{Findings: e.findings, Dropped: e.dropped, Err: e.err}
	out.Satisfied = true
	for _, r := range e.rules.all {
		finding := &e.findings[r.index]
		if r.optional || finding.Skipped || (r.family == nil && !finding.Empty) {
			continue
		}
		if out.Satisfied = finding.Samples > 0 || finding.Empty; out.Satisfied {
			break
		}
	}
	for i, found := range e.found {
		if len(found) == 0 {
			continue
		}
		samples := make([]Sample, len(found))
		for j := range found {
			samples[j] = found[j].Sample
		}
		out.Families = append(out.Families, FamilySamples{e.rules.families[i], samples})
	}
	return out
}
