package mapping

// result removes duplicates and puts everything in order.
func (e *evaluation) result() *Result {
	out := &Result{Findings: e.findings, evaluation: e}
	if e.err == nil {
		e.orderFamilies()
	}
	if out.Err = e.err; out.Err == nil {
		out.Families = e.families
		out.Satisfied = e.satisfied()
	}
	out.Dropped = e.drops.sorted()
	return out
}

// orderFamilies merges the candidates of each family and sorts what is left. Samples are
// moved only when the next family has another order, which is found by comparing it
// with these.
func (e *evaluation) orderFamilies() {
	var o *order
	waiting := 0 // the first family that was not moved yet
	move := func() {
		for ; waiting < len(e.families); waiting++ {
			if o.unique {
				o.apply(e.families[waiting].Samples)
			}
		}
	}
	for i := range e.found {
		found := &e.found[i]
		if len(found.samples) == 0 {
			continue
		}
		next := o.of(found.samples, e.ended)
		if e.ended() {
			return
		}
		if next != o {
			move()
			o = next
		}
		if samples := e.merge(found, o, e.rules.families[i].duplicates); len(samples) > 0 {
			e.families = append(e.families, FamilySamples{e.rules.families[i], samples})
		}
	}
	move()
}

// merge leaves one sample of each label set, and tells of those of which none is left.
func (e *evaluation) merge(found *candidates, o *order, p policy) []Sample {
	return p.merge(found, o, func(same []int32) {
		if e.ended() {
			return
		}
		lost := e.conflict(found, same)
		told := &problem{reason: Duplicate, detail: lost.describe(e.ended)}
		for i, r := range lost.rules {
			e.findings[r.index].Samples--
			e.drop(r, told, lost.items[i])
		}
	})
}

// satisfied says what Result.Satisfied says. A rule whose document could not be
// had does not count: the document's failure tells of that.
func (e *evaluation) satisfied() bool {
	required := false
	for _, r := range e.rules.all {
		finding := &e.findings[r.index]
		if r.optional || finding.Skipped {
			continue
		}
		if finding.Samples > 0 || finding.Empty {
			return true
		}
		required = required || r.family != nil
	}
	return !required
}
