package accesslog

import (
	"math"
	"strconv"
)

// Numbers are read from bytes without making a string of them. What stands for
// an absent value is "-" or nothing.

func absent(b []byte) bool { return len(b) == 0 || len(b) == 1 && b[0] == '-' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// statusCode reads three digits.
func statusCode(b []byte) (code int, ok bool) {
	if len(b) != 3 {
		return 0, false
	}
	for _, c := range b {
		if !isDigit(c) {
			return 0, false
		}
		code = 10*code + int(c-'0')
	}
	return code, true
}

// size reads a whole number; absent is 0.
func size(b []byte) (n uint64, ok bool) {
	if absent(b) {
		return 0, true
	}
	if len(b) > 19 { // what has 19 digits is below 2^64
		return 0, false
	}
	for _, c := range b {
		if !isDigit(c) {
			return 0, false
		}
		n = 10*n + uint64(c-'0')
	}
	return n, true
}

// powers are those of ten that a float64 holds exactly.
var powers = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// decimal reads a number of at least 0, such as 12, 0.005 or 1.5e-05.
func decimal(b []byte) (f float64, ok bool) {
	if len(b) == 0 || !isDigit(b[0]) {
		return 0, false
	}
	if len(b) >= len(powers) {
		return slowDecimal(b)
	}
	var digits uint64
	point := len(b) - 1 // so that without one nothing is behind it
	for i, c := range b {
		switch {
		case isDigit(c):
			digits = 10*digits + uint64(c-'0')
		case c == '.' && point == len(b)-1 && i < len(b)-1:
			point = i
		default:
			return slowDecimal(b)
		}
	}
	// Both are exact, so the quotient is the nearest number there is.
	return float64(digits) / powers[len(b)-1-point], true
}

func slowDecimal(b []byte) (f float64, ok bool) {
	for i, c := range b {
		switch {
		case isDigit(c), c == 'e', c == 'E', c == '+', c == '-':
		case c == '.' && i+1 < len(b) && isDigit(b[i+1]):
		default:
			return 0, false
		}
	}
	f, err := strconv.ParseFloat(string(b), 64)
	return f, err == nil && !math.IsInf(f, 0)
}

// seconds reads a time; absent is none, which is -1.
func seconds(b []byte, scale float64) (f float64, ok bool) {
	if absent(b) {
		return -1, true
	}
	f, ok = decimal(b)
	return f * scale, ok
}

// sumOfSeconds reads the times of several upstream servers, which nginx separates
// with ", " and " : ", and adds them up; one that was not reached is "-".
func sumOfSeconds(b []byte, scale float64) (f float64, ok bool) {
	sum := -1.0
	for i := 0; i <= len(b); {
		end := i
		for end < len(b) && b[end] != ',' && b[end] != ' ' {
			end++
		}
		f, ok := seconds(b[i:end], scale)
		if !ok {
			return 0, false
		}
		if f >= 0 {
			sum = max(sum, 0) + f
		}
		for i = end + 1; i < len(b) && (b[i] == ' ' || b[i] == ':' || b[i] == ','); {
			i++
		}
	}
	return sum, true
}
