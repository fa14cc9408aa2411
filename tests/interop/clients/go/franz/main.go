// SPDX-License-Identifier: Apache-2.0

// Program franz runs the features on franz-go, which speaks the highest version of everything.
package main

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"leat/interop/interop"
)

type program struct {
	bootstrap, prefix string
	client            *kgo.Client
	admin             *kadm.Client
}

func (p *program) topic(name string) string { return p.prefix + "-" + name }

func brief() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), 40*time.Second)
}

// Name of an error of the broker; words of the client otherwise.
func name(err error) string {
	var known *kerr.Error
	switch {
	case err == nil:
		return "OK"
	case errors.As(err, &known):
		return known.Message
	default:
		return err.Error()
	}
}

func (p *program) options(more ...kgo.Opt) []kgo.Opt {
	return append([]kgo.Opt{kgo.SeedBrokers(p.bootstrap), kgo.MetadataMinAge(100 * time.Millisecond), kgo.FetchMaxWait(100 * time.Millisecond)}, more...)
}

func (p *program) create(short string, partitions int32) (string, error) {
	ctx, cancel := brief()
	defer cancel()
	_, err := p.admin.CreateTopic(ctx, partitions, 1, nil, p.topic(short))
	return p.topic(short), err
}

// produce gives what came of each row.
func (p *program) produce(topic string, rows []interop.Record, more ...kgo.Opt) ([]string, error) {
	options := p.options(append([]kgo.Opt{kgo.RecordPartitioner(kgo.ManualPartitioner())}, more...)...)
	client, err := kgo.NewClient(options...)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	ctx, cancel := brief()
	defer cancel()
	records := make([]*kgo.Record, 0, len(rows))
	for _, row := range rows {
		record := &kgo.Record{Topic: topic, Partition: row.Partition, Key: row.Key, Value: row.Value, Timestamp: time.UnixMilli(row.Time)}
		for _, header := range row.Headers {
			record.Headers = append(record.Headers, kgo.RecordHeader{Key: header[0], Value: []byte(header[1])})
		}
		records = append(records, record)
	}
	places := make([]string, 0, len(rows))
	for _, result := range client.ProduceSync(ctx, records...) {
		if result.Err != nil {
			places = append(places, name(result.Err))
		} else {
			places = append(places, fmt.Sprintf("%d:%d", result.Record.Partition, result.Record.Offset))
		}
	}
	return places, nil
}

// send is produce for records of which each has to arrive.
func (p *program) send(topic string, rows []interop.Record, more ...kgo.Opt) error {
	places, err := p.produce(topic, rows, more...)
	for _, place := range places {
		if err == nil && !strings.Contains(place, ":") {
			err = errors.New("a record did not arrive: " + place)
		}
	}
	return err
}

func record(row *kgo.Record) interop.Record {
	found := interop.Record{Partition: row.Partition, Offset: row.Offset, Time: row.Timestamp.UnixMilli(), Key: row.Key, Value: row.Value}
	for _, header := range row.Headers {
		found.Headers = append(found.Headers, [2]string{header.Key, string(header.Value)})
	}
	return found
}

func (p *program) read(topic string, partition int32, count int, offset int64) ([]interop.Record, error) {
	places := map[string]map[int32]kgo.Offset{topic: {partition: kgo.NewOffset().At(offset)}}
	client, err := kgo.NewClient(p.options(kgo.ConsumePartitions(places))...)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	ctx, cancel := brief()
	defer cancel()
	var found []interop.Record
	for len(found) < count {
		fetches := client.PollFetches(ctx)
		if errs := fetches.Errors(); len(errs) > 0 {
			return found, fmt.Errorf("after %d of %d records of %s: %w", len(found), count, topic, errs[0].Err)
		}
		fetches.EachRecord(func(row *kgo.Record) { found = append(found, record(row)) })
	}
	return found[:count], nil
}

func (p *program) lines(facts *interop.Facts, what, topic string, partition int32, count int, offset int64) error {
	rows, err := p.read(topic, partition, count, offset)
	for _, row := range rows {
		facts.Add("%s%s", what, row.Line())
	}
	return err
}

func sorted(rows []string) []string {
	sort.Strings(rows)
	return rows
}

func main() {
	interop.Main(func(bootstrap, prefix string) []interop.Feature {
		p := &program{bootstrap: bootstrap, prefix: prefix}
		client, err := kgo.NewClient(p.options()...)
		if err != nil {
			panic(err)
		}
		p.client, p.admin = client, kadm.NewClient(client)
		features := p.recordFeatures()
		features = append(features, p.groupFeatures()...)
		features = append(append(features, p.adminFeatures()...), p.transactionFeatures()...)
		features = append(features, interop.WaysIn(p.wayIn)...)
		return append(features, interop.WayIn("sasl_gssapi", p.wayIn), interop.WayIn("reauthentication", p.stay))
	})
}
