package document

// A member is one key of an object with its value.
type member struct {
	key   string
	value any
}

// gather makes an object of members whose values are not arrays. A key that occurs
// once has its value, a key that occurs several times an array of its values, in
// order. It ends with the context: each of a million keys may be another.
func (m *meter) gather(members []member) (map[string]any, error) {
	runs := 0
	for i := range members {
		if i == 0 || members[i].key != members[i-1].key {
			runs++
		}
	}
	object := make(map[string]any, min(runs, m.limits.Members()))
	for round := 0; len(members) > 0; round++ {
		if round%pauseEvery == 0 && m.ctx.Err() != nil {
			return nil, m.givenUp()
		}
		key, run := members[0].key, 1
		for run < len(members) && members[run].key == key {
			run++
		}
		if before, again := object[key]; again || run > 1 {
			object[key] = collect(before, again, members[:run])
		} else {
			object[key] = members[0].value
		}
		if err := m.members(len(object)); err != nil {
			return nil, err
		}
		members = members[run:]
	}
	return object, nil
}

// collect returns an array of what a key had before, if it had something, and of
// what more it gets.
func collect(before any, had bool, more []member) []any {
	all, _ := before.([]any)
	if all == nil {
		all = make([]any, 0, len(more)+1)
		if had {
			all = append(all, before)
		}
	}
	for _, m := range more {
		all = append(all, m.value)
	}
	return all
}
