// SPDX-License-Identifier: Apache-2.0

// Program sarama runs the features on IBM's sarama.
package main

import (
	"errors"
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/IBM/sarama"
	"leat/interop/interop"
)

type program struct {
	bootstrap, prefix string
	admin             sarama.ClusterAdmin
}

func (p *program) topic(name string) string { return p.prefix + "-" + name }

// Name of an error of the broker; words of the client otherwise.
func name(err error) string {
	var code sarama.KError
	var topic *sarama.TopicError
	var part *sarama.TopicPartitionError
	switch {
	case err == nil:
		return "OK"
	case errors.As(err, &topic):
		return fmt.Sprintf("code %d", int16(topic.Err))
	case errors.As(err, &part):
		return fmt.Sprintf("code %d", int16(part.Err))
	case errors.As(err, &code):
		return fmt.Sprintf("code %d", int16(code))
	default:
		return err.Error()
	}
}

func config(more ...func(*sarama.Config)) *sarama.Config {
	config := sarama.NewConfig()
	config.Version = sarama.MaxVersion
	config.Producer.Return.Successes = true
	config.Producer.Return.Errors = true
	config.Producer.Partitioner = sarama.NewManualPartitioner
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.Offsets.AutoCommit.Interval = 100 * time.Millisecond
	config.Consumer.MaxWaitTime = 100 * time.Millisecond
	config.Consumer.Return.Errors = true
	config.Consumer.Group.Session.Timeout = 6 * time.Second
	config.Consumer.Group.Heartbeat.Interval = 300 * time.Millisecond
	for _, change := range more {
		change(config)
	}
	return config
}

func (p *program) create(short string, partitions int32) (string, error) {
	return p.topic(short), p.admin.CreateTopic(p.topic(short), &sarama.TopicDetail{NumPartitions: partitions, ReplicationFactor: 1}, false)
}

// produce gives what came of each row, in the order of the rows.
func (p *program) produce(topic string, rows []interop.Record, more ...func(*sarama.Config)) ([]string, error) {
	producer, err := sarama.NewAsyncProducer([]string{p.bootstrap}, config(more...))
	if err != nil {
		return nil, err
	}
	places := make([]string, len(rows))
	go func() {
		for index, row := range rows {
			message := &sarama.ProducerMessage{Topic: topic, Partition: row.Partition, Timestamp: time.UnixMilli(row.Time), Metadata: index}
			if row.Key != nil {
				message.Key = sarama.ByteEncoder(row.Key)
			}
			if row.Value != nil {
				message.Value = sarama.ByteEncoder(row.Value)
			}
			for _, header := range row.Headers {
				message.Headers = append(message.Headers, sarama.RecordHeader{Key: []byte(header[0]), Value: []byte(header[1])})
			}
			producer.Input() <- message
		}
	}()
	for range rows {
		select {
		case sent := <-producer.Successes():
			places[sent.Metadata.(int)] = fmt.Sprintf("%d:%d", sent.Partition, sent.Offset)
		case failed := <-producer.Errors():
			places[failed.Msg.Metadata.(int)] = name(failed.Err)
		case <-time.After(40 * time.Second):
			return places, errors.New("not all records came to an end")
		}
	}
	return places, producer.Close()
}

// send is produce for records of which each has to arrive.
func (p *program) send(topic string, rows []interop.Record, more ...func(*sarama.Config)) error {
	places, err := p.produce(topic, rows, more...)
	for _, place := range places {
		if err == nil && !strings.Contains(place, ":") {
			err = errors.New("a record did not arrive: " + place)
		}
	}
	return err
}

func record(row *sarama.ConsumerMessage) interop.Record {
	found := interop.Record{Partition: row.Partition, Offset: row.Offset, Time: row.Timestamp.UnixMilli(), Key: row.Key, Value: row.Value}
	for _, header := range row.Headers {
		found.Headers = append(found.Headers, [2]string{string(header.Key), string(header.Value)})
	}
	return found
}

func (p *program) read(topic string, partition int32, count int, offset int64) ([]interop.Record, error) {
	consumer, err := sarama.NewConsumer([]string{p.bootstrap}, config())
	if err != nil {
		return nil, err
	}
	defer consumer.Close()
	part, err := consumer.ConsumePartition(topic, partition, offset)
	if err != nil {
		return nil, err
	}
	defer part.Close()
	var found []interop.Record
	for len(found) < count {
		select {
		case row := <-part.Messages():
			found = append(found, record(row))
		case failed := <-part.Errors():
			return found, failed
		case <-time.After(40 * time.Second):
			return found, fmt.Errorf("%d of %d records of %s", len(found), count, topic)
		}
	}
	return found, nil
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
		admin, err := sarama.NewClusterAdmin([]string{bootstrap}, config())
		if err != nil {
			panic(err)
		}
		p := &program{bootstrap: bootstrap, prefix: prefix, admin: admin}
		features := p.recordFeatures()
		features = append(features, p.groupFeatures()...)
		features = append(append(features, p.adminFeatures()...), p.transactionFeatures()...)
		features = append(features, interop.WaysIn(p.wayIn)...)
		return append(features, interop.WayIn("sasl_gssapi", p.wayIn), interop.WayIn("reauthentication", p.stay))
	})
}
