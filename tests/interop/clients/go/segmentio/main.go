// SPDX-License-Identifier: Apache-2.0

// Program segmentio runs the features on segmentio's kafka-go, which speaks old versions and opens many connections.
package main

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"time"

	"github.com/segmentio/kafka-go"
	"leat/interop/interop"
)

type program struct {
	bootstrap, prefix string
	client            *kafka.Client
	transport         *kafka.Transport
}

func (p *program) topic(name string) string { return p.prefix + "-" + name }

func brief() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), 40*time.Second)
}

// Name of an error of the broker; words of the client otherwise.
func name(err error) string {
	var code kafka.Error
	switch {
	case err == nil:
		return "OK"
	case errors.As(err, &code):
		return fmt.Sprintf("code %d", int(code))
	default:
		return err.Error()
	}
}

// The first error of a call: of the request, or of its one topic.
func first(err error, errs map[string]error) error {
	for _, each := range errs {
		if err == nil {
			err = each
		}
	}
	return err
}

func (p *program) createAs(config kafka.TopicConfig) error {
	ctx, cancel := brief()
	defer cancel()
	answer, err := p.client.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{config}})
	if err != nil {
		return err
	}
	return first(nil, answer.Errors)
}

func (p *program) create(short string, partitions int) (string, error) {
	return p.topic(short), p.createAs(kafka.TopicConfig{Topic: p.topic(short), NumPartitions: partitions, ReplicationFactor: 1})
}

// wanted sends each record to the partition that it names.
var wanted = kafka.BalancerFunc(func(message kafka.Message, _ ...int) int { return message.WriterData.(int) })

func (p *program) send(topic string, rows []interop.Record, more ...func(*kafka.Writer)) error {
	writer := &kafka.Writer{Addr: kafka.TCP(p.bootstrap), Topic: topic, Balancer: wanted, BatchTimeout: 20 * time.Millisecond, RequiredAcks: kafka.RequireAll,
		Transport: p.transport, MaxAttempts: 20}
	for _, change := range more {
		change(writer)
	}
	messages := make([]kafka.Message, 0, len(rows))
	for _, row := range rows {
		message := kafka.Message{Key: row.Key, Value: row.Value, Time: time.UnixMilli(row.Time), WriterData: int(row.Partition)}
		for _, header := range row.Headers {
			message.Headers = append(message.Headers, kafka.Header{Key: header[0], Value: []byte(header[1])})
		}
		messages = append(messages, message)
	}
	ctx, cancel := brief()
	defer cancel()
	err := writer.WriteMessages(ctx, messages...)
	var each kafka.WriteErrors
	if errors.As(err, &each) {
		for _, one := range each {
			if one != nil {
				err = one
			}
		}
	}
	return errors.Join(err, writer.Close())
}

func record(row kafka.Message) interop.Record {
	found := interop.Record{Partition: int32(row.Partition), Offset: row.Offset, Time: row.Time.UnixMilli(), Key: row.Key, Value: row.Value}
	for _, header := range row.Headers {
		found.Headers = append(found.Headers, [2]string{header.Key, string(header.Value)})
	}
	return found
}

func (p *program) read(topic string, partition, count int, offset int64) ([]interop.Record, error) {
	reader := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{p.bootstrap}, Topic: topic, Partition: partition, MaxWait: 100 * time.Millisecond,
		OffsetOutOfRangeError: true})
	defer reader.Close()
	if err := reader.SetOffset(offset); err != nil {
		return nil, err
	}
	ctx, cancel := brief()
	defer cancel()
	var found []interop.Record
	for len(found) < count {
		row, err := reader.ReadMessage(ctx)
		if err != nil {
			return found, err
		}
		found = append(found, record(row))
	}
	return found, nil
}

func (p *program) lines(facts *interop.Facts, what, topic string, partition, count int, offset int64) error {
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
		transport := &kafka.Transport{MetadataTTL: 200 * time.Millisecond}
		client := &kafka.Client{Addr: kafka.TCP(bootstrap), Timeout: 40 * time.Second, Transport: transport}
		p := &program{bootstrap: bootstrap, prefix: prefix, client: client, transport: transport}
		features := p.recordFeatures()
		features = append(features, p.groupFeatures()...)
		features = append(append(features, p.adminFeatures()...), interop.Feature{Name: "read_committed", Run: p.readCommitted})
		return append(features, interop.WaysIn(p.wayIn)...)
	})
}
