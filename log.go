package main

import (
	"io"
	"log" //nolint:depguard // net/http writes to it
	"log/slog"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/lmittmann/tint"
	"github.com/mattn/go-isatty"
)

// logOptions are the flags about the log.
type logOptions struct {
	level, format string
}

func (o *logOptions) flags(app *kingpin.Application) {
	app.Flag("log.level", "Least severe messages to log: debug, info, warn or error.").
		Default("info").SetValue(choice{&o.level, []string{"debug", "info", "warn", "error"}})
	app.Flag("log.format", "How to write the log: text for people (coloured on a terminal), json for machines.").
		Default("text").SetValue(choice{&o.format, []string{"text", "json"}})
}

// logger returns a logger that writes to w.
func (o *logOptions) logger(w io.Writer) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(o.level)); err != nil {
		level = slog.LevelInfo // the flag allows nothing else
	}
	if o.format == "json" {
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}))
	}
	file, ok := w.(*os.File)
	return slog.New(tint.NewTextHandler(w, &tint.Options{
		Level:      level,
		TimeFormat: time.RFC3339,
		NoColor:    !ok || !isatty.IsTerminal(file.Fd()) && !isatty.IsCygwinTerminal(file.Fd()),
	}))
}

// logger returns the logger of the program. What others tell by package log goes there
// as well.
func (p *program) logger() *slog.Logger {
	logger := p.log.logger(p.stderr)
	slog.SetDefault(logger)
	log.SetOutput(packageLog{logger})
	return logger
}

// A packageLog logs what net/http tells of targets by package log.
type packageLog struct{ logger *slog.Logger }

// quotation finds what package log quotes: it may be what a target sent, which may be
// what it was sent, secrets too.
var quotation = regexp.MustCompile(`"(?:[^"\\]|\\.)*"?`)

func (l packageLog) Write(p []byte) (int, error) {
	l.logger.Debug("net/http", "told", quotation.ReplaceAllLiteralString(strings.TrimSpace(string(p)), `"..."`))
	return len(p), nil
}
