package accesslog_test

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestRename rotates by renaming, with scrapes at every moment.
func TestRename(t *testing.T) {
	s := newSite(t)
	s.add("access.log", 5)
	s.open("{path: access.log, format: common, from: start}")
	s.add("access.log", 5)
	s.expectLines("before", 10)
	s.add("access.log", 5)
	s.rename("access.log", "access.log.1")
	s.expectLines("renamed, no new file yet", 15)
	s.add("access.log.1", 5)
	s.add("access.log", 5)
	s.expectLines("old and new file written at once", 25)
	s.add("access.log.1", 1)
	s.add("access.log", 1)
	s.expectLines("a writer that has not let go yet", 27)

	s.rename("access.log.1", "access.log.2")
	s.rename("access.log", "access.log.1")
	s.add("access.log", 2)
	s.add("access.log.1", 2)
	s.compress("access.log.2")
	s.expectLines("rotated again, the oldest one compressed", 31)

	s.append("access.log.1", `192.0.2.1 - - [t] "GET / HTTP/1.1" 200`)
	s.expect("unfinished in an old file", map[string]any{"lines": number(31), "unread_bytes": number(38)})
	s.append("access.log.1", " 7\n")
	s.expectLines("finished in an old file", 32)
	s.expect("rotations", map[string]any{"rotations": map[string]any{
		"rename": number(2), "truncate": number(0), "missing_copies": number(0),
	}})
}

// TestMissedRotations finds files that were written and rotated between two
// scrapes, and none that was there before.
func TestMissedRotations(t *testing.T) {
	s := newSite(t)
	s.add("access.log.1", 7)
	s.add("access.log.2", 7)
	s.compress("access.log.2")
	s.add("access.log", 5)
	s.add("access.log.error.1", 5)
	s.open("{path: access.log, format: common}")
	s.add("access.log", 5)
	s.expectLines("before", 5)

	// The files move on as logrotate moves them.
	rotate := func() {
		s.rename("access.log.2.gz", "access.log.3.gz")
		s.rename("access.log.1", "access.log.2")
		s.compress("access.log.2")
		s.rename("access.log", "access.log.1")
	}
	rotate()
	s.add("access.log", 10)
	rotate()
	s.add("access.log", 10)
	rotate()
	s.add("access.log", 1)
	s.expectLines("three rotations at once", 26)
	rotate()
	s.add("access.log", 1)
	s.expectLines("one more", 27)
}

// TestCopyTruncate rotates by copying and truncating.
func TestCopyTruncate(t *testing.T) {
	for _, test := range []struct {
		name         string
		copied, zips bool
		copyName     string
		after        int // lines written after truncating, before the scrape
		want         int
	}{
		{"nothing after it", true, false, "access.log.1", 0, 15},
		{"less than before", true, false, "access.log.1", 3, 18},
		{"as much as before", true, false, "access.log-20261101", 10, 25},
		{"more than before", true, false, "access-20261101.log", 100, 115},
		{"compressed", true, true, "access.log.1", 3, 18},
		{"no copy", false, false, "", 3, 13},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t)
			s.open("{path: access.log, format: common}")
			s.add("access.log", 10)
			s.expectLines("before", 10)
			s.add("access.log", 5)
			if test.copied {
				s.copy("access.log", test.copyName)
				s.expectLines("copied, not truncated", 15)
			}
			if !test.copied {
				s.lines -= 5
			}
			s.truncate("access.log")
			if test.zips {
				s.compress(test.copyName)
			}
			s.add("access.log", test.after)
			if test.copied {
				s.expectLines("after", test.want)
				s.expectLines("once more", test.want)
			}
			missing := number(0)
			if !test.copied {
				s.expect("after", map[string]any{"lines": number(test.want)})
				missing = number(1)
			}
			s.expect("rotations", map[string]any{"rotations": map[string]any{
				"rename": number(0), "truncate": number(1), "missing_copies": missing,
			}})
		})
	}
}

// TestCopyTruncateUnread reads what was not read of the file from its copy.
func TestCopyTruncateUnread(t *testing.T) {
	for _, zips := range []bool{false, true} {
		s := newSite(t)
		s.open("{path: 'access.*', format: common}") // matches the copies too
		s.add("access.log", 10)
		s.expectLines("before", 10)
		s.add("access.log", 3)
		s.append("access.log", `192.0.2.1 - - [t] "GET / HTTP/1.1" 200 7`) // without a newline
		s.copy("access.log", "access.log.1")
		s.truncate("access.log")
		if zips {
			s.compress("access.log.1")
		}
		s.add("access.log", 2)
		s.expectLines("the rest of the copy", 16)

		// Twice between two scrapes.
		for range 2 {
			if zips {
				s.rename("access.log.1.gz", "access.log.2.gz")
			} else {
				s.rename("access.log.1", "access.log.2")
			}
			s.add("access.log", 20)
			s.copy("access.log", "access.log.1")
			s.truncate("access.log")
			if zips {
				s.compress("access.log.1")
			}
		}
		s.add("access.log", 1)
		s.expectLines("two copies", 57)

		// From an empty file.
		s.copy("access.log", "access.log.1")
		s.truncate("access.log")
		s.expectLines("empty", 57)
		s.add("access.log", 4)
		s.copy("access.log", "access.log.0")
		s.truncate("access.log")
		s.expectLines("copied and empty again", 57)
		s.add("access.log", 1)
		s.expectLines("what was copied from the empty file", 62)
	}
}

// TestHistory counts the rotated files too, once each.
func TestHistory(t *testing.T) {
	s := newSite(t)
	s.add("access.log.3", 30_000)
	s.compress("access.log.3")
	s.add("access.log.2", 3)
	s.compress("access.log.2")
	s.add("access.log.1", 2)
	s.add("access.log", 1)
	s.append("access.log.4.gz", "not compressed")
	s.open("{path: 'access.log*', format: common, from: start, history: true}")
	s.expectLines("all of them", 30_006)
	s.rename("access.log.1", "access.log.2")
	s.rename("access.log", "access.log.1")
	s.add("access.log", 1)
	s.expectLines("after a rotation", 30_007)

	s.open("{path: 'access.log*', format: common, from: start}")
	s.expectLines("without history", 1)
}

// TestGrace closes an old file when nobody has written to it for ten minutes.
func TestGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.open("{path: '*.log', format: common}")
		s.add("access.log", 2)
		s.expectLines("before", 2)
		s.rename("access.log", "renamed.log")
		s.add("access.log", 1)
		s.expectLines("renamed", 3)
		for i := range 3 {
			time.Sleep(9 * time.Minute)
			s.add("renamed.log", 1)
			s.expectLines("somebody writes to it", 4+i)
		}
		s.append("renamed.log", `192.0.2.1 - - [t] "GET / HTTP/1.1" 200 7`)
		time.Sleep(11 * time.Minute)
		s.expectLines("an unfinished line is one in the end", 7)
		s.add("renamed.log", 1)
		s.expectLines("the file is closed", 7)

		s.rename("access.log", "access.log.1")
		s.expectLines("renamed for good", 7)
		time.Sleep(11 * time.Minute)
		s.expectLines("closed", 7)
		s.add("access.log", 1)
		s.expectLines("a new file", 8)
	})
}
