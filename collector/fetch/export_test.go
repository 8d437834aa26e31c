package fetch

// NextLink and WithoutValues are for fuzzing, TimedOut and Unsent for what only
// happens by chance.
var (
	NextLink      = nextLink
	WithoutValues = withoutValues
	TimedOut      = timedOut
	Unsent        = unsent
)
