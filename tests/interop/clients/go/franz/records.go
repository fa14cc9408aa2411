// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"leat/interop/interop"
)

func (p *program) recordFeatures() []interop.Feature {
	features := []interop.Feature{{Name: "create_topics", Run: p.createTopics}, {Name: "produce", Run: p.produceAll}, {Name: "consume", Run: p.consume}}
	codecs := map[string]kgo.CompressionCodec{"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression()}
	for _, each := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		features = append(features, interop.Feature{Name: "codec_" + each, Run: func(facts *interop.Facts) error { return p.codec(facts, each, codecs[each]) }})
	}
	return append(features, interop.Feature{Name: "idempotence", Run: p.idempotence}, interop.Feature{Name: "offsets_by_time", Run: p.offsetsByTime})
}

func (p *program) createTopics(facts *interop.Facts) error {
	ctx, cancel := brief()
	defer cancel()
	text := func(value string) *string { return &value }
	for _, wanted := range []struct {
		what       string
		partitions int32
		replicas   int16
		topic      string
		settings   map[string]*string
	}{
		{"new", 3, 1, p.topic("records"), nil},
		{"with settings", 1, 1, p.topic("compact"), map[string]*string{"cleanup.policy": text("compact"), "retention.ms": text("7200000")}},
		{"defaults", -1, -1, p.topic("defaults"), nil},
		{"again", 3, 1, p.topic("records"), nil},
		{"bad name", 1, 1, "bad/name", nil},
		{"long name", 1, 1, strings.Repeat("n", 250), nil},
		{"three replicas", 1, 3, p.topic("three"), nil},
		{"no partitions", 0, 1, p.topic("zero"), nil},
		{"unknown setting", 1, 1, p.topic("unknown"), map[string]*string{"no.such.setting": text("1")}},
		{"null setting", 1, 1, p.topic("nulled"), map[string]*string{"retention.ms": nil}},
		{"bad setting", 1, 1, p.topic("bad"), map[string]*string{"segment.bytes": text("-5")}},
	} {
		made, err := p.admin.CreateTopic(ctx, wanted.partitions, wanted.replicas, wanted.settings, wanted.topic)
		facts.Add("%s: %s partitions %d replicas %d settings %d", wanted.what, name(err), made.NumPartitions, made.ReplicationFactor, count(made))
	}
	dry, err := p.admin.ValidateCreateTopics(ctx, 1, 1, nil, p.topic("dry"))
	if err != nil {
		return err
	}
	facts.Add("validated: %s", name(dry[p.topic("dry")].Err))
	interop.Settle()
	listed, err := p.admin.ListTopics(ctx)
	if err != nil {
		return err
	}
	for _, topic := range listed.Sorted() {
		if strings.HasPrefix(topic.Topic, p.prefix+"-") {
			for _, part := range topic.Partitions.Sorted() {
				facts.Add("%s %d leader %d epoch %d replicas %v isr %v", topic.Topic, part.Partition, part.Leader, part.LeaderEpoch, part.Replicas, part.ISR)
			}
		}
	}
	brokers, err := p.admin.BrokerMetadata(ctx)
	facts.Add("controller %d brokers %v", brokers.Controller, brokers.Brokers.NodeIDs())
	return err
}

// Settings that the answer gave, without those that Apache Kafka has not.
func count(made kadm.CreateTopicResponse) int {
	count := 0
	for each := range made.Configs {
		if !strings.HasPrefix(each, "leat.") {
			count++
		}
	}
	return count
}

func (p *program) produceAll(facts *interop.Facts) error {
	rows := make([]interop.Record, 0, 60)
	for i := range 60 {
		rows = append(rows, interop.Sample(i))
	}
	places, err := p.produce(p.topic("records"), rows)
	if err != nil {
		return err
	}
	facts.Add("%v", sorted(places))
	compact := p.topic("compact")
	for what, acks := range map[string]kgo.Acks{"0": kgo.NoAck(), "1": kgo.LeaderAck()} {
		if err := p.send(compact, interop.Simple(0, "a"), kgo.RequiredAcks(acks), kgo.DisableIdempotentWrite()); err != nil {
			return fmt.Errorf("acks %s: %w", what, err)
		}
	}
	big, err := p.produce(compact, interop.Simple(0, strings.Repeat("x", 2_000_000)), kgo.ProducerBatchMaxBytes(5_000_000), kgo.ProducerBatchCompression(kgo.NoCompression()))
	facts.Add("big %v", big)
	if err != nil {
		return err
	}
	noKey, err := p.produce(compact, []interop.Record{{Time: interop.EpochMs, Value: []byte("v")}})
	facts.Add("null key, compacted %v", noKey)
	return err
}

func (p *program) consume(facts *interop.Facts) error {
	for partition := range int32(3) {
		if err := p.lines(facts, "", p.topic("records"), partition, 20, 0); err != nil {
			return err
		}
	}
	return p.lines(facts, "from 7: ", p.topic("records"), 1, 13, 7)
}

func (p *program) codec(facts *interop.Facts, codec string, how kgo.CompressionCodec) error {
	topic, err := p.create("codec-"+codec, 1)
	if err != nil {
		return err
	}
	rows := make([]interop.Record, 0, 200)
	for i := range 200 {
		rows = append(rows, interop.Record{Time: interop.EpochMs + int64(i), Key: []byte("k"), Value: []byte(interop.Payload(i))})
	}
	places, err := p.produce(topic, rows, kgo.ProducerBatchCompression(how), kgo.ProducerLinger(20*time.Millisecond))
	if err != nil {
		return err
	}
	back, err := p.read(topic, 0, 200, 0)
	if err != nil {
		return err
	}
	for i, row := range back {
		if string(row.Value) != string(rows[i].Value) || row.Time != rows[i].Time {
			return fmt.Errorf("record %d differs", i)
		}
	}
	middle, err := p.read(topic, 0, 1, 150)
	facts.Add("first %s last %s from the middle %d", places[0], places[199], middle[0].Offset)
	return err
}

func (p *program) idempotence(facts *interop.Facts) error {
	topic, err := p.create("idempotence", 1)
	if err != nil {
		return err
	}
	values := interop.Numbered("value-", 1000)
	places, err := p.produce(topic, interop.Simple(0, values...), kgo.ProducerBatchMaxBytes(512))
	if err != nil {
		return err
	}
	back, err := p.read(topic, 0, 1000, 0)
	if err != nil {
		return err
	}
	for i, row := range back {
		if places[i] != fmt.Sprintf("0:%d", i) || string(row.Value) != values[i] {
			return fmt.Errorf("record %d is out of place: %s", i, places[i])
		}
	}
	facts.Add("first %s last %s", places[0], places[999])
	return nil
}

func (p *program) offsetsByTime(facts *interop.Facts) error {
	ctx, cancel := brief()
	defer cancel()
	topic := p.topic("records")
	note := func(what string, found kadm.ListedOffsets, err error) {
		facts.Add("%s %s", what, name(err))
		for partition := range int32(3) {
			row, _ := found.Lookup(topic, partition)
			facts.Add("%s %d: %d at %d epoch %d", what, partition, row.Offset, row.Timestamp, row.LeaderEpoch)
		}
	}
	found, err := p.admin.ListStartOffsets(ctx, topic)
	note("earliest", found, err)
	found, err = p.admin.ListEndOffsets(ctx, topic)
	note("latest", found, err)
	found, err = p.admin.ListCommittedOffsets(ctx, topic)
	note("committed", found, err)
	found, err = p.admin.ListMaxTimestampOffsets(ctx, topic)
	note("max", found, err)
	found, err = p.admin.ListLocalLogStartOffsets(ctx, topic)
	note("local start", found, err)
	for _, shift := range []int64{-1000, 0, 1, 30_000, 57_000, 57_001, 1_000_000} {
		found, err = p.admin.ListOffsetsAfterMilli(ctx, interop.EpochMs+shift, topic)
		note(fmt.Sprintf("%d ms", shift), found, err)
	}
	return nil
}
