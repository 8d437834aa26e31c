package main

import (
	"io"
	"log/slog"
	"os"
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
		Default("info").EnumVar(&o.level, "debug", "info", "warn", "error")
	app.Flag("log.format", "How to write the log: text for people (coloured on a terminal), json for machines.").
		Default("text").EnumVar(&o.format, "text", "json")
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
