package fetch

// NextLink and WithoutValues are for fuzzing.
var (
	NextLink      = nextLink
	WithoutValues = withoutValues
)
