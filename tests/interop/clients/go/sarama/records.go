// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/IBM/sarama"
	"leat/interop/interop"
)

var codecs = map[string]sarama.CompressionCodec{"none": sarama.CompressionNone, "gzip": sarama.CompressionGZIP, "snappy": sarama.CompressionSnappy,
	"lz4": sarama.CompressionLZ4, "zstd": sarama.CompressionZSTD}

func (p *program) recordFeatures() []interop.Feature {
	features := []interop.Feature{{Name: "create_topics", Run: p.createTopics}, {Name: "produce", Run: p.produceAll}, {Name: "consume", Run: p.consume}}
	for _, each := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		features = append(features, interop.Feature{Name: "codec_" + each, Run: func(facts *interop.Facts) error { return p.codec(facts, each) }})
	}
	return append(features, interop.Feature{Name: "idempotence", Run: p.idempotence}, interop.Feature{Name: "offsets_by_time", Run: p.offsetsByTime})
}

func (p *program) createTopics(facts *interop.Facts) error {
	text := func(value string) *string { return &value }
	for _, wanted := range []struct {
		what, topic string
		detail      sarama.TopicDetail
	}{
		{"new", p.topic("records"), sarama.TopicDetail{NumPartitions: 3, ReplicationFactor: 1}},
		{"with settings", p.topic("compact"), sarama.TopicDetail{NumPartitions: 1, ReplicationFactor: 1,
			ConfigEntries: map[string]*string{"cleanup.policy": text("compact"), "retention.ms": text("7200000")}}},
		{"assigned", p.topic("assigned"), sarama.TopicDetail{NumPartitions: -1, ReplicationFactor: -1, ReplicaAssignment: map[int32][]int32{0: {1}, 1: {1}}}},
		{"defaults", p.topic("defaults"), sarama.TopicDetail{NumPartitions: -1, ReplicationFactor: -1}},
		{"again", p.topic("records"), sarama.TopicDetail{NumPartitions: 3, ReplicationFactor: 1}},
		{"bad name", "bad/name", sarama.TopicDetail{NumPartitions: 1, ReplicationFactor: 1}},
		{"three replicas", p.topic("three"), sarama.TopicDetail{NumPartitions: 1, ReplicationFactor: 3}},
		{"no partitions", p.topic("zero"), sarama.TopicDetail{NumPartitions: 0, ReplicationFactor: 1}},
		{"unknown setting", p.topic("unknown"), sarama.TopicDetail{NumPartitions: 1, ReplicationFactor: 1,
			ConfigEntries: map[string]*string{"no.such.setting": text("1")}}},
	} {
		facts.Add("%s: %s", wanted.what, name(p.admin.CreateTopic(wanted.topic, &wanted.detail, false)))
	}
	facts.Add("validated: %s", name(p.admin.CreateTopic(p.topic("dry"), &sarama.TopicDetail{NumPartitions: 1, ReplicationFactor: 1}, true)))
	interop.Settle()
	found, err := p.admin.DescribeTopics([]string{p.topic("records"), p.topic("assigned"), p.topic("defaults"), p.topic("not-there")})
	if err != nil {
		return err
	}
	rows := []string{}
	for _, topic := range found {
		rows = append(rows, fmt.Sprintf("%s code %d internal %v partitions %d", topic.Name, int16(topic.Err), topic.IsInternal, len(topic.Partitions)))
		for _, part := range topic.Partitions {
			rows = append(rows, fmt.Sprintf("%s %d leader %d replicas %v isr %v", topic.Name, part.ID, part.Leader, part.Replicas, part.Isr))
		}
	}
	for _, row := range sorted(rows) {
		facts.Add("%s", row)
	}
	brokers, controller, err := p.admin.DescribeCluster()
	facts.Add("controller %d brokers %d", controller, len(brokers))
	return err
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
	facts.Add("%v", places)
	for _, acks := range []sarama.RequiredAcks{sarama.NoResponse, sarama.WaitForLocal, sarama.WaitForAll} {
		if err := p.send(p.topic("compact"), interop.Simple(0, "a"), func(c *sarama.Config) { c.Producer.RequiredAcks = acks }); err != nil {
			return fmt.Errorf("acks %d: %w", acks, err)
		}
	}
	big, err := p.produce(p.topic("compact"), interop.Simple(0, strings.Repeat("x", 2_000_000)), func(c *sarama.Config) { c.Producer.MaxMessageBytes = 5_000_000 })
	facts.Add("big %v", big)
	if err != nil {
		return err
	}
	noKey, err := p.produce(p.topic("compact"), []interop.Record{{Time: interop.EpochMs, Value: []byte("v")}})
	facts.Add("null key, compacted %v", noKey)
	return err
}

func (p *program) consume(facts *interop.Facts) error {
	for partition := range int32(3) {
		if err := p.lines(facts, "", p.topic("records"), partition, 20, sarama.OffsetOldest); err != nil {
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
	places, err := p.produce(topic, rows, func(c *sarama.Config) {
		c.Producer.Compression = codecs[codec]
		c.Producer.Flush.Frequency = 20 * time.Millisecond
	})
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
	places, err := p.produce(topic, interop.Simple(0, values...), func(c *sarama.Config) {
		c.Producer.Idempotent = true
		c.Producer.RequiredAcks = sarama.WaitForAll
		c.Producer.Flush.MaxMessages = 10
		c.Net.MaxOpenRequests = 1
	})
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
	topic := p.topic("records")
	times := []int64{sarama.OffsetOldest, sarama.OffsetNewest, -3}
	for _, shift := range []int64{-1000, 0, 1, 30_000, 57_000, 57_001, 1_000_000} {
		times = append(times, interop.EpochMs+shift)
	}
	for _, when := range times {
		found, err := p.admin.ListOffsets(map[string]map[int32]int64{topic: {0: when, 1: when, 2: when}}, nil)
		if err != nil {
			return err
		}
		for partition := range int32(3) {
			row := found[topic][partition]
			facts.Add("%d %d: %d at %d epoch %d %s", when, partition, row.Offset, row.Timestamp, row.LeaderEpoch, name(row.Err))
		}
	}
	return nil
}
