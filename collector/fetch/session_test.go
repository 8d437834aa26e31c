package fetch

import (
	"strconv"
	"testing"
)

// TestLoginsMakeRoom: one target more than a client keeps logins for costs one login.
func TestLoginsMakeRoom(t *testing.T) {
	c := &Client{login: &login{}}
	target := func(i int) origin { return origin{scheme: "http", host: "shop", port: strconv.Itoa(i)} }
	sessions := make([]*session, sessionLimit+1)
	for i := range sessions {
		sessions[i] = c.session(target(i))
	}
	lost := 0
	for i, s := range sessions {
		if kept, _ := c.logins.Get(target(i).String()); kept != s {
			lost++
		}
	}
	if lost != 1 {
		t.Errorf("%d logins of %d are lost, want 1", lost, len(sessions))
	}
}
