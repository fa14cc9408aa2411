// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"
	"leat/interop/interop"
)

var codecs = map[string]kafka.Compression{"none": 0, "gzip": kafka.Gzip, "snappy": kafka.Snappy, "lz4": kafka.Lz4, "zstd": kafka.Zstd}

func (p *program) recordFeatures() []interop.Feature {
	features := []interop.Feature{{Name: "create_topics", Run: p.createTopics}, {Name: "produce", Run: p.produceAll}, {Name: "consume", Run: p.consume}}
	for _, each := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		features = append(features, interop.Feature{Name: "codec_" + each, Run: func(facts *interop.Facts) error { return p.codec(facts, each) }})
	}
	return append(features, interop.Feature{Name: "offsets_by_time", Run: p.offsetsByTime})
}

func (p *program) createTopics(facts *interop.Facts) error {
	settings := func(name, value string) []kafka.ConfigEntry {
		return []kafka.ConfigEntry{{ConfigName: name, ConfigValue: value}}
	}
	for _, wanted := range []struct {
		what   string
		config kafka.TopicConfig
	}{
		{"new", kafka.TopicConfig{Topic: p.topic("records"), NumPartitions: 3, ReplicationFactor: 1}},
		{"with settings", kafka.TopicConfig{Topic: p.topic("compact"), NumPartitions: 1, ReplicationFactor: 1, ConfigEntries: settings("cleanup.policy", "compact")}},
		{"assigned", kafka.TopicConfig{Topic: p.topic("assigned"), NumPartitions: -1, ReplicationFactor: -1,
			ReplicaAssignments: []kafka.ReplicaAssignment{{Partition: 0, Replicas: []int{1}}, {Partition: 1, Replicas: []int{1}}}}},
		{"defaults", kafka.TopicConfig{Topic: p.topic("defaults"), NumPartitions: -1, ReplicationFactor: -1}},
		{"again", kafka.TopicConfig{Topic: p.topic("records"), NumPartitions: 3, ReplicationFactor: 1}},
		{"bad name", kafka.TopicConfig{Topic: "bad/name", NumPartitions: 1, ReplicationFactor: 1}},
		{"three replicas", kafka.TopicConfig{Topic: p.topic("three"), NumPartitions: 1, ReplicationFactor: 3}},
		{"unknown setting", kafka.TopicConfig{Topic: p.topic("unknown"), NumPartitions: 1, ReplicationFactor: 1, ConfigEntries: settings("no.such", "1")}},
	} {
		err := p.createAs(wanted.config)
		facts.Add("%s: %s", wanted.what, name(err))
	}
	ctx, cancel := brief()
	defer cancel()
	interop.Settle()
	found, err := p.client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{p.topic("records"), p.topic("assigned"), p.topic("defaults")}})
	if err != nil {
		return err
	}
	facts.Add("brokers %d controller %d", len(found.Brokers), found.Controller.ID)
	rows := []string{}
	for _, topic := range found.Topics {
		for _, part := range topic.Partitions {
			rows = append(rows, fmt.Sprintf("%s %d internal %v leader %d replicas %d isr %d %s", topic.Name, part.ID, topic.Internal, part.Leader.ID,
				len(part.Replicas), len(part.Isr), name(part.Error)))
		}
	}
	for _, row := range sorted(rows) {
		facts.Add("%s", row)
	}
	return nil
}

func (p *program) produceAll(facts *interop.Facts) error {
	rows := make([]interop.Record, 0, 60)
	for i := range 60 {
		rows = append(rows, interop.Sample(i))
	}
	if err := p.send(p.topic("records"), rows); err != nil {
		return err
	}
	for _, acks := range []kafka.RequiredAcks{kafka.RequireNone, kafka.RequireOne, kafka.RequireAll} {
		if err := p.send(p.topic("compact"), interop.Simple(0, "a"), func(w *kafka.Writer) { w.RequiredAcks = acks }); err != nil {
			return fmt.Errorf("acks %v: %w", acks, err)
		}
	}
	err := p.send(p.topic("compact"), interop.Simple(0, strings.Repeat("x", 2_000_000)), func(w *kafka.Writer) { w.BatchBytes, w.MaxAttempts = 5_000_000, 1 })
	facts.Add("big %s", name(err))
	err = p.send(p.topic("compact"), []interop.Record{{Time: interop.EpochMs, Value: []byte("v")}}, func(w *kafka.Writer) { w.MaxAttempts = 1 })
	facts.Add("null key, compacted %s", name(err))
	return nil
}

func (p *program) consume(facts *interop.Facts) error {
	for partition := range 3 {
		if err := p.lines(facts, "", p.topic("records"), partition, 20, kafka.FirstOffset); err != nil {
			return err
		}
	}
	if err := p.lines(facts, "from 7: ", p.topic("records"), 1, 13, 7); err != nil {
		return err
	}
	_, err := p.read(p.topic("records"), 0, 1, 1000)
	facts.Add("offset out of range: %s", name(err))
	return nil
}

func (p *program) codec(facts *interop.Facts, codec string) error {
	topic, err := p.create("codec-"+codec, 1)
	if err != nil {
		return err
	}
	rows := make([]interop.Record, 0, 200)
	for i := range 200 {
		rows = append(rows, interop.Record{Time: interop.EpochMs + int64(i), Key: []byte("k"), Value: []byte(interop.Payload(i))})
	}
	if err := p.send(topic, rows, func(w *kafka.Writer) { w.Compression = codecs[codec] }); err != nil {
		return err
	}
	back, err := p.read(topic, 0, 200, kafka.FirstOffset)
	if err != nil {
		return err
	}
	for i, row := range back {
		if string(row.Value) != string(rows[i].Value) || row.Time != rows[i].Time {
			return fmt.Errorf("record %d differs", i)
		}
	}
	middle, err := p.read(topic, 0, 1, 150)
	if err != nil {
		return err
	}
	facts.Add("last %d from the middle %d", back[199].Offset, middle[0].Offset)
	return nil
}

func (p *program) offsetsByTime(facts *interop.Facts) error {
	ctx, cancel := brief()
	defer cancel()
	topic := p.topic("records")
	ask := func(what string, request func(partition int) kafka.OffsetRequest) error {
		found, err := p.client.ListOffsets(ctx, &kafka.ListOffsetsRequest{
			Topics: map[string][]kafka.OffsetRequest{topic: {request(0), request(1), request(2)}}})
		if err != nil {
			return err
		}
		rows := []string{}
		for _, row := range found.Topics[topic] {
			times := []string{}
			for offset, when := range row.Offsets {
				times = append(times, fmt.Sprintf("%d@%d", offset, when.UnixMilli()))
			}
			rows = append(rows, fmt.Sprintf("%s %d: first %d last %d times %v %s", what, row.Partition, row.FirstOffset, row.LastOffset, sorted(times), name(row.Error)))
		}
		for _, row := range sorted(rows) {
			facts.Add("%s", row)
		}
		return nil
	}
	if err := ask("first", kafka.FirstOffsetOf); err != nil {
		return err
	}
	if err := ask("last", kafka.LastOffsetOf); err != nil {
		return err
	}
	for _, shift := range []int64{-1000, 0, 1, 30_000, 57_000, 57_001, 1_000_000} {
		at := func(partition int) kafka.OffsetRequest {
			return kafka.TimeOffsetOf(partition, time.UnixMilli(interop.EpochMs+shift))
		}
		if err := ask(fmt.Sprintf("%d ms", shift), at); err != nil {
			return err
		}
	}
	return nil
}

// Somebody else's transactions: see transactional.py.
func (p *program) readCommitted(facts *interop.Facts) error {
	for _, level := range []struct {
		isolation kafka.IsolationLevel
		count     int
	}{{kafka.ReadCommitted, 4}, {kafka.ReadUncommitted, 7}} {
		reader := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{p.bootstrap}, Topic: p.topic("committed"), MaxWait: 100 * time.Millisecond,
			IsolationLevel: level.isolation})
		defer reader.Close()
		patience := 40 * time.Second
		for seen := 0; ; seen++ {
			if seen >= level.count {
				patience = time.Second // What comes now is too much.
			}
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			row, err := reader.ReadMessage(ctx)
			cancel()
			if err != nil {
				if seen < level.count || !errors.Is(err, context.DeadlineExceeded) {
					return fmt.Errorf("%d of %d records: %w", seen, level.count, err)
				}
				break
			}
			facts.Add("isolation %d %d:%d %s", level.isolation, row.Partition, row.Offset, row.Value)
		}
	}
	return nil
}
