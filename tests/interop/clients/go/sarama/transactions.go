// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"
	"leat/interop/interop"
)

func (p *program) transactionFeatures() []interop.Feature {
	return []interop.Feature{{Name: "transactions", Run: p.transactions}, {Name: "transactional_offsets", Run: p.transactionalOffsets},
		{Name: "read_committed", Run: p.readCommitted}}
}

func (p *program) writer(id string) (sarama.SyncProducer, error) {
	return sarama.NewSyncProducer([]string{p.bootstrap}, config(func(c *sarama.Config) {
		c.Producer.Idempotent = true
		c.Producer.RequiredAcks = sarama.WaitForAll
		c.Producer.Transaction.ID = p.topic(id)
		c.Net.MaxOpenRequests = 1
	}))
}

func row(topic string, partition int32, format string, values ...any) *sarama.ProducerMessage {
	return &sarama.ProducerMessage{Topic: topic, Partition: partition, Value: sarama.StringEncoder(fmt.Sprintf(format, values...))}
}

func transaction(producer sarama.SyncProducer, commit bool, rows ...*sarama.ProducerMessage) error {
	if err := producer.BeginTxn(); err != nil {
		return err
	}
	if err := producer.SendMessages(rows); err != nil {
		return errors.Join(err, producer.AbortTxn())
	}
	if commit {
		return producer.CommitTxn()
	}
	return producer.AbortTxn()
}

// Rows of a partition as far as there are any; this client is told of no end.
func (p *program) seen(facts *interop.Facts, topic string, partition int32, count int, isolation sarama.IsolationLevel) error {
	consumer, err := sarama.NewConsumer([]string{p.bootstrap}, config(func(c *sarama.Config) { c.Consumer.IsolationLevel = isolation }))
	if err != nil {
		return err
	}
	defer consumer.Close()
	part, err := consumer.ConsumePartition(topic, partition, sarama.OffsetOldest)
	if err != nil {
		return err
	}
	defer part.Close()
	patience := 40 * time.Second
	for seen := 0; ; seen++ {
		if seen >= count {
			patience = time.Second // What comes now is too much.
		}
		select {
		case row := <-part.Messages():
			facts.Add("isolation %d %d:%d %s", isolation, partition, row.Offset, row.Value)
		case failed := <-part.Errors():
			return failed
		case <-time.After(patience):
			if seen < count {
				return fmt.Errorf("%d of %d records of %s", seen, count, topic)
			}
			return nil
		}
	}
}

func (p *program) transactions(facts *interop.Facts) error {
	topic, err := p.create("transactions", 3)
	if err != nil {
		return err
	}
	first, err := p.writer("writer")
	if err != nil {
		return err
	}
	defer first.Close()
	for i := range 6 {
		rows := []*sarama.ProducerMessage{row(topic, 0, "t%d-0", i), row(topic, 1, "t%d-1", i), row(topic, 2, "t%d-2", i)}
		if err := transaction(first, i%3 != 2, rows...); err != nil {
			return err
		}
	}
	if err := first.BeginTxn(); err != nil {
		return err
	}
	if _, _, err := first.SendMessage(row(topic, 0, "left open")); err != nil {
		return err
	}
	if err := p.seen(facts, topic, 0, 4, sarama.ReadCommitted); err != nil {
		return err
	}
	second, err := p.writer("writer")
	if err != nil {
		return err
	}
	defer second.Close()
	_, _, late := first.SendMessage(row(topic, 0, "too late"))
	facts.Add("too late %s", name(late))
	facts.Add("the first is fenced %v", late != nil || first.CommitTxn() != nil)
	if err := transaction(second, true, row(topic, 1, "second")); err != nil {
		return err
	}
	for partition, count := range []int{4, 5, 4} {
		if err := p.seen(facts, topic, int32(partition), count, sarama.ReadCommitted); err != nil {
			return err
		}
	}
	return p.seen(facts, topic, 0, 7, sarama.ReadUncommitted)
}

// transformer writes what it read, with its offset, in one transaction; the second batch is aborted.
type transformer struct {
	producer sarama.SyncProducer
	target   string
	note     func()
	done     chan error
}

func (t *transformer) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (t *transformer) Cleanup(sarama.ConsumerGroupSession) error { return nil }
func (t *transformer) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	err := t.transform(session, claim)
	t.done <- err
	return err
}

func (t *transformer) transform(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	group := sarama.NewConsumerGroupMetadata(groupOf(t.target))
	group.GenerationID, group.MemberID = session.GenerationID(), session.MemberID()
	for _, commit := range []bool{true, false} {
		if err := t.producer.BeginTxn(); err != nil {
			return err
		}
		for range 5 {
			select {
			case read := <-claim.Messages():
				if _, _, err := t.producer.SendMessage(row(t.target, 0, "seen %d", read.Offset)); err != nil {
					return err
				}
				if err := t.producer.AddMessageToTxnWithGroupMetadata(read, group, nil); err != nil {
					return err
				}
			case <-session.Context().Done():
				return errors.New("the session ended early")
			}
		}
		end := t.producer.AbortTxn
		if commit {
			end = t.producer.CommitTxn
		}
		if err := end(); err != nil {
			return err
		}
		interop.Settle()
		t.note()
	}
	return nil
}

func groupOf(target string) string { return target + "-transformers" }

func (p *program) transactionalOffsets(facts *interop.Facts) error {
	source, err := p.create("source", 1)
	if err != nil {
		return err
	}
	target, err := p.create("target", 1)
	if err != nil {
		return err
	}
	if err := p.send(source, interop.Simple(0, interop.Numbered("v", 10)...)); err != nil {
		return err
	}
	producer, err := p.writer("transformer")
	if err != nil {
		return err
	}
	defer producer.Close()
	client, err := sarama.NewConsumerGroup([]string{p.bootstrap}, groupOf(target), config(func(c *sarama.Config) { c.Consumer.Offsets.AutoCommit.Enable = false }))
	if err != nil {
		return err
	}
	defer client.Close()
	work := &transformer{producer, target, func() { p.committed(facts, groupOf(target), source) }, make(chan error, 1)}
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	defer cancel()
	go func() { _ = client.Consume(ctx, []string{source}, work) }()
	select {
	case err := <-work.done:
		if err != nil {
			return err
		}
	case <-ctx.Done():
		return ctx.Err()
	}
	return p.seen(facts, target, 0, 5, sarama.ReadCommitted)
}

// Somebody else's transactions: see transactional.py.
func (p *program) readCommitted(facts *interop.Facts) error {
	if err := p.seen(facts, p.topic("committed"), 0, 4, sarama.ReadCommitted); err != nil {
		return err
	}
	return p.seen(facts, p.topic("committed"), 0, 7, sarama.ReadUncommitted)
}
