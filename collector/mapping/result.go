package mapping

// result removes duplicates and puts everything in order.
func (e *evaluation) result() *Result {
	out := &Result{Findings: e.findings, Err: e.err}
	if e.err == nil {
		for i, found := range e.found {
			if samples := e.merge(found, e.rules.families[i].duplicates); len(samples) > 0 {
				out.Families = append(out.Families, FamilySamples{e.rules.families[i], samples})
			}
		}
		out.Satisfied = e.satisfied()
	}
	out.Dropped = e.drops.sorted()
	return out
}

// merge leaves one sample of each label set, and tells of those of which none is left.
func (e *evaluation) merge(found []candidate, p policy) []Sample {
	return p.merge(found, func(same []*candidate) {
		conflict := &problem{reason: Duplicate, detail: describeConflict(same)}
		for _, c := range same {
			e.findings[c.rule.index].Samples--
			e.drop(c.rule, conflict, c.item)
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
