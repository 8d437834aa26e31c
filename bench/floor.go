package main

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"io"
	"strconv"

	"github.com/bytedance/sonic"
)

func header(w *bytes.Buffer, name, kind string) {
	w.WriteString("# HELP ")
	w.WriteString(name)
	w.WriteString(" Help.\n# TYPE ")
	w.WriteString(name)
	w.WriteByte(' ')
	w.WriteString(kind)
	w.WriteByte('\n')
}

// label writes a label's value, escaped where it must be.
func label(w *bytes.Buffer, before, value string) {
	w.WriteString(before)
	for i := range len(value) {
		switch c := value[i]; c {
		case '\\', '"':
			w.WriteByte('\\')
			w.WriteByte(c)
		case '\n':
			w.WriteString(`\n`)
		default:
			w.WriteByte(c)
		}
	}
}

func floorA(w *bytes.Buffer, body []byte) error {
	var s struct {
		Current float64 `json:"current_requests"`
		Pending float64 `json:"pending_requests"`
		Uptime  float64 `json:"total_uptime"`
		Health  string  `json:"health"`
	}
	if err := sonic.ConfigStd.Unmarshal(body, &s); err != nil {
		return err
	}
	value := func(name string, v float64) {
		header(w, name, "gauge")
		w.WriteString(name)
		w.WriteByte(' ')
		w.Write(strconv.AppendFloat(w.AvailableBuffer(), v, 'g', -1, 64))
		w.WriteByte('\n')
	}
	value("app_requests_current", s.Current)
	value("app_requests_pending", s.Pending)
	value("app_uptime", s.Uptime)
	header(w, "app_health", "gauge")
	for _, state := range []string{"healthy", "unhealthy"} {
		label(w, `app_health{app_health="`, state)
		if s.Health == state {
			w.WriteString("\"} 1\n")
		} else {
			w.WriteString("\"} 0\n")
		}
	}
	return nil
}

func floorB(w *bytes.Buffer, body []byte) error {
	var list queueList
	if err := sonic.ConfigStd.Unmarshal(body, &list); err != nil {
		return err
	}
	writeQueues(w, list.Items)
	return nil
}

func writeQueues(w *bytes.Buffer, list []queue) {
	for _, family := range []struct {
		name  string
		value func(*queue) int
	}{
		{"queue_messages", func(q *queue) int { return q.Messages }},
		{"queue_messages_ready", func(q *queue) int { return q.Ready }},
		{"queue_messages_unacked", func(q *queue) int { return q.Unacked }},
		{"queue_consumers", func(q *queue) int { return q.Consumers }},
	} {
		header(w, family.name, "gauge")
		for i := range list {
			q := &list[i]
			w.WriteString(family.name)
			label(w, `{node="`, q.Node)
			label(w, `",queue="`, q.Name)
			label(w, `",vhost="`, q.Vhost)
			w.WriteString(`"} `)
			w.Write(strconv.AppendInt(w.AvailableBuffer(), int64(family.value(q)), 10))
			w.WriteByte('\n')
		}
	}
}

func floorD(w *bytes.Buffer, body []byte) error {
	var list struct {
		Items []struct {
			Messages int `json:"messages"`
		} `json:"items"`
	}
	if err := sonic.ConfigStd.Unmarshal(body, &list); err != nil {
		return err
	}
	for i := range picked {
		name := "queue_" + strconv.Itoa(i) + "_messages"
		header(w, name, "gauge")
		w.WriteString(name)
		w.WriteByte(' ')
		w.Write(strconv.AppendInt(w.AvailableBuffer(), int64(list.Items[i*(items/picked)].Messages), 10))
		w.WriteByte('\n')
	}
	return nil
}

// floorXML parses with the same library as the exporter, token by token.
func floorXML(w *bytes.Buffer, body []byte) error {
	decoder := xml.NewDecoder(bytes.NewReader(body))
	var list []queue
	var q queue
	var text []byte
	for {
		token, err := decoder.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.CharData:
			text = append(text[:0], token...)
		case xml.EndElement:
			switch token.Name.Local {
			case "name":
				q.Name = string(text)
			case "vhost":
				q.Vhost = string(text)
			case "node":
				q.Node = string(text)
			case "messages":
				q.Messages, err = strconv.Atoi(string(text))
			case "ready":
				q.Ready, err = strconv.Atoi(string(text))
			case "unacked":
				q.Unacked, err = strconv.Atoi(string(text))
			case "consumers":
				q.Consumers, err = strconv.Atoi(string(text))
			case "item":
				list = append(list, q)
			}
			if err != nil {
				return err
			}
		}
	}
	writeQueues(w, list)
	return nil
}

// floorCSV parses with the same library as the exporter.
func floorCSV(w *bytes.Buffer, body []byte) error {
	reader := csv.NewReader(bytes.NewReader(body))
	reader.ReuseRecord = true
	if _, err := reader.Read(); err != nil {
		return err
	}
	var list []queue
	for {
		row, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		q := queue{Name: row[0], Vhost: row[1], Node: row[2]}
		for i, into := range []*int{&q.Messages, &q.Ready, &q.Unacked, &q.Consumers} {
			if *into, err = strconv.Atoi(row[4+i]); err != nil {
				return err
			}
		}
		list = append(list, q)
	}
	writeQueues(w, list)
	return nil
}

func floorKeyvalue(w *bytes.Buffer, body []byte) error {
	header(w, "queue_value", "gauge")
	for line := range bytes.Lines(body) {
		key, value, ok := bytes.Cut(bytes.TrimSpace(line), []byte(": "))
		if !ok {
			continue
		}
		if _, err := strconv.ParseFloat(string(value), 64); err != nil {
			return err
		}
		label(w, `queue_value{key="`, string(key))
		w.WriteString(`"} `)
		w.Write(value)
		w.WriteByte('\n')
	}
	return nil
}
