package options

import "strings"

// Nearest returns the word that was probably meant by found: one that differs
// only in case and separators, or by at most a third of its letters. It returns
// "" where no word is near.
func Nearest(found string, words []string) string {
	best, bestDistance := "", len([]rune(found))/3+1
	for _, word := range words {
		if simplify(word) == simplify(found) {
			return word
		}
		if distance := editDistance(found, word); distance < bestDistance {
			best, bestDistance = word, distance
		}
	}
	return best
}

func simplify(s string) string {
	return strings.NewReplacer("-", "", "_", "", ".", "", " ", "").Replace(strings.ToLower(s))
}

// editDistance is the Levenshtein distance between a and b in letters.
func editDistance(a, b string) int {
	from, to := []rune(a), []rune(b)
	row := make([]int, len(to)+1)
	for j := range row {
		row[j] = j
	}
	for i := range from {
		diagonal := row[0]
		row[0] = i + 1
		for j := range to {
			change := diagonal
			if from[i] != to[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(to)]
}
