// SPDX-License-Identifier: Apache-2.0

// Package interop is what the Go programs share: features, facts, and the sample records. Programs are called as scenario.py says.
package interop

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"
)

// EpochMs is where all times that a scenario sets start.
const EpochMs = 1_700_000_000_000

// Facts is the transcript of one feature.
type Facts struct{ rows []string }

// Add appends one fact.
func (f *Facts) Add(format string, values ...any) {
	f.rows = append(f.rows, fmt.Sprintf(format, values...))
}

// Feature is one thing that a client does.
type Feature struct {
	Name string
	Run  func(*Facts) error
}

// Record is a record on its way in or out; Headers are name and value.
type Record struct {
	Partition  int32
	Offset     int64
	Time       int64
	Key, Value []byte
	Headers    [][2]string
}

func shown(value []byte) string {
	if value == nil {
		return "null"
	}
	return `"` + string(value) + `"`
}

// Line is a record as text; null differs from empty when the client tells them apart.
func (r Record) Line() string {
	headers := make([]string, 0, len(r.Headers))
	for _, header := range r.Headers {
		headers = append(headers, header[0]+`="`+header[1]+`"`)
	}
	return fmt.Sprintf("%d:%d t=%d k=%s v=%s h=[%s]", r.Partition, r.Offset, r.Time, shown(r.Key), shown(r.Value), strings.Join(headers, ","))
}

// Sample is the sample record of that index: null and empty in each place, repeated header names.
func Sample(index int) Record {
	row := Record{Partition: int32(index % 3), Time: EpochMs + int64(index)*1000}
	row.Key = fmt.Appendf(nil, "key-%d", index%7)
	row.Value = fmt.Appendf(nil, "value-%d", index)
	switch index % 10 {
	case 9:
		row.Key = nil
	case 8:
		row.Key = []byte{}
	case 7:
		row.Value = nil
	case 6:
		row.Value = []byte{}
	}
	all := [][2]string{{"index", fmt.Sprint(index)}, {"empty", ""}, {"again", "1"}, {"again", "2"}}
	row.Headers = all[:index%5]
	return row
}

// Simple rows have the same key and time.
func Simple(partition int32, values ...string) []Record {
	rows := make([]Record, 0, len(values))
	for _, value := range values {
		rows = append(rows, Record{Partition: partition, Time: EpochMs, Key: []byte("k"), Value: []byte(value)})
	}
	return rows
}

// Numbered gives stem0, stem1, ...
func Numbered(stem string, count int) []string {
	values := make([]string, count)
	for i := range values {
		values[i] = fmt.Sprintf("%s%d", stem, i)
	}
	return values
}

// Payload is a value that compresses, but not to nothing.
func Payload(index int) string {
	text := fmt.Sprintf("payload-%d-", index)
	for len(text) < 300 {
		text += fmt.Sprintf("abcdefghij%d", index*7919)
	}
	return text[:300]
}

// WaitUntil polls the condition.
func WaitUntil(what string, condition func() bool) error {
	deadline := time.Now().Add(40 * time.Second)
	for !condition() {
		if time.Now().After(deadline) {
			return fmt.Errorf("waited in vain for %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
	return nil
}

// Settle pauses before looking at the outcome of a change: Apache Kafka tells of it a moment after it agreed to it.
func Settle() { time.Sleep(500 * time.Millisecond) }

// Seen is what a member of a group owns and has read. Safe to share between goroutines.
type Seen struct {
	mutex   sync.Mutex
	owned   map[int32]bool
	rows    map[string]bool
	Assigns int
}

// NewSeen is empty.
func NewSeen() *Seen { return &Seen{owned: map[int32]bool{}, rows: map[string]bool{}} }

// Own notes partitions that were given or taken.
func (s *Seen) Own(given bool, partitions ...int32) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if given && len(partitions) > 0 {
		s.Assigns++
	}
	for _, partition := range partitions {
		if given {
			s.owned[partition] = true
		} else {
			delete(s.owned, partition)
		}
	}
}

// OwnOnly notes the partitions of a new generation.
func (s *Seen) OwnOnly(partitions []int32) {
	s.mutex.Lock()
	s.owned = map[int32]bool{}
	s.mutex.Unlock()
	s.Own(true, partitions...)
}

// Read notes a record.
func (s *Seen) Read(partition int32, offset int64, value []byte) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.rows[fmt.Sprintf("%d:%d %s", partition, offset, value)] = true
}

// Owned gives the partitions in order.
func (s *Seen) Owned() []int32 {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	owned := make([]int32, 0, len(s.owned))
	for partition := range s.owned {
		owned = append(owned, partition)
	}
	slices.Sort(owned)
	return owned
}

// Rows gives the distinct records that were read, in order.
func (s *Seen) Rows() []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	rows := make([]string, 0, len(s.rows))
	for row := range s.rows {
		rows = append(rows, row)
	}
	sort.Strings(rows)
	return rows
}

// Member is a running member of a group.
type Member struct {
	*Seen
	Leave func()
}

// TwoMembers runs A alone, A and B, A alone again. Join starts a member, produce sends rows to the topic.
func TwoMembers(facts *Facts, join func() (*Member, error), produce func([]Record) error) error {
	for partition := range int32(4) {
		if err := produce(Simple(partition, Numbered(fmt.Sprintf("value-%d-", partition), 10)...)); err != nil {
			return err
		}
	}
	first, err := join()
	if err != nil {
		return err
	}
	left := false
	defer func() {
		if !left {
			first.Leave()
		}
	}()
	if err := WaitUntil("the first member to read all", func() bool { return len(first.Owned()) == 4 && len(first.Rows()) == 40 }); err != nil {
		return err
	}
	facts.Add("A owns %v", first.Owned())
	second, err := join()
	if err != nil {
		return err
	}
	err = WaitUntil("two members to share", func() bool { return len(first.Owned()) == 2 && len(second.Owned()) == 2 })
	both := append(first.Owned(), second.Owned()...)
	slices.Sort(both)
	facts.Add("A and B own %v", both)
	second.Leave()
	if err != nil {
		return err
	}
	if err := WaitUntil("the first member to own all again", func() bool { return len(first.Owned()) == 4 }); err != nil {
		return err
	}
	for partition := range int32(4) {
		if err := produce(Simple(partition, "late")); err != nil {
			return err
		}
	}
	if err := WaitUntil("late records", func() bool { return len(first.Rows()) == 44 }); err != nil {
		return err
	}
	facts.Add("A owns %v", first.Owned())
	first.Leave()
	left = true
	facts.rows = append(facts.rows, first.Rows()...)
	return nil
}

// Main runs the features that are wanted and prints a JSON line for each.
func Main(features func(bootstrap, prefix string) []Feature) {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: PROGRAM BOOTSTRAP PREFIX [FEATURE]...")
		os.Exit(2)
	}
	wanted := os.Args[3:]
	for _, feature := range features(os.Args[1], os.Args[2]) {
		if len(wanted) > 0 && !slices.Contains(wanted, feature.Name) {
			continue
		}
		facts := &Facts{rows: []string{}}
		started := time.Now()
		row := map[string]any{"feature": feature.Name, "ok": true, "error": nil}
		if err := feature.Run(facts); err != nil {
			row["ok"], row["error"] = false, err.Error()
		}
		row["facts"], row["seconds"] = facts.rows, time.Since(started).Seconds()
		text, _ := json.Marshal(row)
		fmt.Println(string(text))
	}
}
