package fetch

import (
	"slices"
	"strings"
)

// The names of what suggests a credential, in lower case and without separators.
var (
	// credentialNames end the names of credentials.
	credentialNames = []string{
		"token", "secret", "password", "passwd", "passphrase", "passcode", "passhash", "pwd", "jwt", "credential", "credentials",
		"apikey", "accesskey", "authkey", "privatekey", "secretkey", "signature",
	}
	// credentialWords tell it in the name of a header wherever they stand.
	credentialWords = []string{
		"token", "secret", "password", "passwd", "passphrase", "passcode", "credential", "signature",
		"auth", "cookie", "key", "session",
	}
	// shortWords tell it only as words of their own: they begin or end others.
	shortWords = []string{"pass", "pwd", "jwt"}
)

// sensitive tells whether the name of a header suggests that its value is a
// credential.
func sensitive(header string) bool {
	header = strings.ToLower(header)
	for _, word := range credentialWords {
		if strings.Contains(header, word) {
			return true
		}
	}
	for word := range strings.FieldsFuncSeq(header, betweenWords) {
		if slices.Contains(shortWords, word) {
			return true
		}
	}
	return false
}

// sensitiveMember tells the same of the name of a param, or of a member of a body. Here
// a word in the middle tells nothing: keys and sessions are what many programs count.
func sensitiveMember(name string) bool {
	joined, last := "", ""
	for last = range strings.FieldsFuncSeq(strings.ToLower(name), betweenWords) {
		joined += last
	}
	for _, end := range credentialNames {
		if strings.HasSuffix(joined, end) {
			return true
		}
	}
	return slices.Contains(shortWords, last)
}

func betweenWords(r rune) bool { return strings.ContainsRune("-_.:[] ", r) }
