package host

import (
	"encoding/json"
	"strconv"
)

func number(f float64) json.Number {
	return json.Number(strconv.FormatFloat(f, 'f', -1, 64))
}

func whole(u uint64) json.Number {
	return json.Number(strconv.FormatUint(u, 10))
}

// seconds returns milliseconds as seconds.
func seconds(milliseconds uint64) json.Number {
	return number(float64(milliseconds) / 1000)
}
