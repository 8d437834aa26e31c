package collector

import "strings"

// A text may have been cut off within a secret, before it came to be masked: what is left
// there, its beginning or its end, tells a part of it.

// findBeginnings finds a secret, and a beginning of it where the text was cut off.
func findBeginnings(text, secret string, add func(from, to int)) {
	for from := 0; ; from++ {
		next := strings.Index(text[from:], secret[:shortestSecret])
		if next < 0 {
			return
		}
		from += next
		length := shortestSecret
		for length < len(secret) && from+length < len(text) && text[from+length] == secret[length] {
			length++
		}
		if length == len(secret) {
			add(from, from+length)
		} else if end := cutOff(text, from, from+length); end > 0 {
			add(from, end)
		}
	}
}

const (
	ellipsis = "…"
	dots     = "..."
	between  = " \t\"'`" // what may stand between the rest of a text and the sign that it was cut
)

// cutOff returns where the beginning of a secret ends that the text has from from to
// to at most, or 0 where no sign follows that more was cut off.
func cutOff(text string, from, to int) int {
	// The secret itself may go on with dots or blanks, as the sign does.
	for end := to; end >= from+shortestSecret && end >= to-len(dots)-1; end-- {
		half := end + halfEscape(text[end:])
		for _, end := range []int{end, half} {
			after := strings.TrimLeft(text[end:min(len(text), end+len(between)+len(dots))], between)
			if !strings.HasPrefix(after, dots) && !strings.HasPrefix(after, ellipsis) {
				continue
			}
			if strings.IndexByte(text[from:end], '=') == end-from-1 {
				return 0 // a name whose value is hidden, as in ?pass=...
			}
			return end
		}
	}
	return 0
}

// halfEscape returns how many bytes at the beginning of a text may be an escape whose
// end was cut off.
func halfEscape(s string) int {
	s = s[:min(len(s), longestEntity)]
	if s == "" || strings.IndexByte(`\%&`, s[0]) < 0 {
		return 0
	}
	rest := strings.TrimLeft(s, `\`)
	rest = strings.TrimLeft(rest, "%&#")
	return len(s) - len(strings.TrimLeft(rest, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"))
}

// openings are what stands before a text whose beginning may have been cut off: the
// sign of it, and what the decoders write before the place where they stopped.
var openings = []string{ellipsis, `found "`}

// longestRest is how much of a text is read after an opening: shortened texts are
// shorter.
const longestRest = 1024

// findEnds finds an end of a secret, or a part of it that was cut off as well, after
// an opening.
func findEnds(text string, secrets []string, add func(from, to int)) {
	for _, opening := range openings {
		for from := 0; ; {
			next := strings.Index(text[from:], opening)
			if next < 0 {
				break
			}
			from += next + len(opening)
			rest := text[from:min(len(text), from+longestRest)]
			skipped := len(rest) - len(strings.TrimLeft(rest, between))
			rest, cut := untilCut(rest[skipped:])
			for _, secret := range secrets {
				if length := lengthOfEnd(rest, secret); length > 0 {
					add(from+skipped, from+skipped+length)
				} else if cut && len(rest) >= shortestSecret && strings.Contains(secret, rest) {
					add(from+skipped, from+skipped+len(rest))
				}
			}
		}
	}
}

// untilCut returns a text up to a sign that more was cut off.
func untilCut(text string) (before string, cut bool) {
	for _, sign := range []string{dots, ellipsis} {
		if i := strings.Index(text, sign); i >= 0 {
			text, cut = strings.TrimRight(text[:i], between), true
		}
	}
	return text, cut
}

// lengthOfEnd returns how many bytes at the beginning of a text are the end of a
// secret.
func lengthOfEnd(text, secret string) int {
	text = text[:min(len(text), len(secret))]
	last := secret[len(secret)-shortestSecret:]
	for end := 0; ; end++ {
		next := strings.Index(text[end:], last)
		if next < 0 {
			return 0
		}
		end += next
		if strings.HasSuffix(secret, text[:end+len(last)]) {
			return end + len(last)
		}
	}
}
