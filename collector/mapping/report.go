package mapping

// A DropReason says in one word why a sample could not be made: the value of
// the label reason of status_probe_samples_dropped_by. The list is closed.
type DropReason string

// The reasons.
const (
	Missing      DropReason = "missing"       // nothing was found, or null
	NotANumber   DropReason = "not_a_number"  // what was found is not a number
	Unmapped     DropReason = "unmapped"      // the text is not among those of `map`
	UnknownState DropReason = "unknown_state" // the text is not among `states`; all states read 0
	Several      DropReason = "several"       // an expression that must give one result gave several
	BadLabel     DropReason = "label"         // a label would be an object or an array
	Duplicate    DropReason = "duplicate"     // several samples have the same labels and different values
	Evaluate     DropReason = "evaluate"      // an expression failed
	OverLimit    DropReason = "limit"         // too many samples, or a label value that is too long
)

// Dropped counts the samples that one rule lost for one reason.
type Dropped struct {
	Metric string
	Reason DropReason
	Count  int
	Detail string // what was found the first time, as a sentence without a full stop
}

// A Finding says what one rule found.
type Finding struct {
	Metric     string // "" for a group
	Depth      int    // of nesting in groups
	Expression string // what it looked for
	Document   string // where
	Optional   bool
	Skipped    bool // its document could not be had
	Items      int  // how often it was applied: once, or once per result of each
	Empty      bool // each iterated an empty collection
	Samples    int
	Dropped    int
	Hint       string // why it found nothing, where Input.Explain asks for it
}
