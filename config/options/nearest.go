package options

import "strings"

// longest is how long a text may be, in bytes, to be taken for a misspelt word:
// comparing two texts takes time and memory in proportion to both.
const longest = 100

// Nearest returns the word that was probably meant by found: one that differs
// only in case and separators, or by one letter or at most a third of its letters.
// It returns "" where no word is near.
func Nearest(found string, words []string) string {
	if len(found) > longest {
		return ""
	}
	best, bestDistance := "", max(1, len([]rune(found))/3)+1
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

// editDistance is the optimal string alignment distance between a and b: how
// many letters to change, add, remove or swap with their neighbour.
func editDistance(a, b string) int {
	from, to := []rune(a), []rune(b)
	rows := make([][]int, len(from)+1)
	for i := range rows {
		rows[i] = make([]int, len(to)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(from); i++ {
		for j := 1; j <= len(to); j++ {
			change := rows[i-1][j-1]
			if from[i-1] != to[j-1] {
				change++
			}
			rows[i][j] = min(change, rows[i-1][j]+1, rows[i][j-1]+1)
			if i > 1 && j > 1 && from[i-1] == to[j-2] && from[i-2] == to[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(from)][len(to)]
}
