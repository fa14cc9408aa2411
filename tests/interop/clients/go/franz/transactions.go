// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"leat/interop/interop"
)

func (p *program) transactionFeatures() []interop.Feature {
	return []interop.Feature{{Name: "transactions", Run: p.transactions}, {Name: "transactional_offsets", Run: p.transactionalOffsets},
		{Name: "read_committed", Run: p.readCommitted}}
}

func (p *program) writer(id string) (*kgo.Client, error) {
	return kgo.NewClient(p.options(kgo.TransactionalID(p.topic(id)), kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
}

func (p *program) transaction(client *kgo.Client, commit bool, records ...*kgo.Record) error {
	ctx, cancel := brief()
	defer cancel()
	if err := client.BeginTransaction(); err != nil {
		return err
	}
	if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		_ = client.EndTransaction(ctx, kgo.TryAbort)
		return err
	}
	return client.EndTransaction(ctx, kgo.TransactionEndTry(commit))
}

// Rows of a partition as a reader of committed records sees them.
func (p *program) committedRows(facts *interop.Facts, topic string, partition int32, count int) error {
	places := map[string]map[int32]kgo.Offset{topic: {partition: kgo.NewOffset().At(0)}}
	client, err := kgo.NewClient(p.options(kgo.ConsumePartitions(places), kgo.FetchIsolationLevel(kgo.ReadCommitted()))...)
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := brief()
	defer cancel()
	for seen := 0; seen < count; {
		fetches := client.PollFetches(ctx)
		if errs := fetches.Errors(); len(errs) > 0 {
			return fmt.Errorf("after %d of %d records of %s: %w", seen, count, topic, errs[0].Err)
		}
		fetches.EachRecord(func(row *kgo.Record) {
			facts.Add("%d:%d %s", row.Partition, row.Offset, row.Value)
			seen++
		})
	}
	return nil
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
		var records []*kgo.Record
		for partition := range int32(3) {
			records = append(records, &kgo.Record{Topic: topic, Partition: partition, Value: fmt.Appendf(nil, "t%d-%d", i, partition)})
		}
		if err := p.transaction(first, i%3 != 2, records...); err != nil {
			return err
		}
	}
	second, err := p.writer("writer")
	if err != nil {
		return err
	}
	defer second.Close()
	if err := p.transaction(second, true, &kgo.Record{Topic: topic, Partition: 1, Value: []byte("second")}); err != nil {
		return err
	}
	late := p.transaction(first, true, &kgo.Record{Topic: topic, Partition: 0, Value: []byte("too late")})
	facts.Add("the first is fenced %v", late != nil)
	for partition, count := range []int{4, 5, 4} {
		if err := p.committedRows(facts, topic, int32(partition), count); err != nil {
			return err
		}
	}
	return nil
}

// Consume, transform, produce: what was read is committed with what was written, or not at all.
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
	group := p.topic("transformers")
	session, err := kgo.NewGroupTransactSession(p.options(kgo.TransactionalID(p.topic("transformer")), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ConsumerGroup(group), kgo.ConsumeTopics(source), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.RequireStableFetchOffsets(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
	if err != nil {
		return err
	}
	defer session.Close()
	ctx, cancel := brief()
	defer cancel()
	for _, commit := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort} {
		var rows []*kgo.Record
		for len(rows) < 5 && ctx.Err() == nil {
			fetches := session.PollRecords(ctx, 5-len(rows))
			fetches.EachRecord(func(row *kgo.Record) { rows = append(rows, row) })
		}
		if err := session.Begin(); err != nil {
			return err
		}
		for _, row := range rows {
			facts.Add("read %d %s", row.Offset, row.Value)
			if err := session.ProduceSync(ctx, &kgo.Record{Topic: target, Value: fmt.Appendf(nil, "seen %d", row.Offset)}).FirstErr(); err != nil {
				return err
			}
		}
		committed, err := session.End(ctx, commit)
		if err != nil {
			return err
		}
		facts.Add("ended, committed %v", committed)
		interop.Settle()
		p.committed(facts, group)
	}
	return p.committedRows(facts, target, 0, 5)
}

// Rows of a partition as far as there are any.
func (p *program) rowsOf(facts *interop.Facts, topic string, count int, level kgo.IsolationLevel) error {
	places := map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().At(0)}}
	client, err := kgo.NewClient(p.options(kgo.ConsumePartitions(places), kgo.FetchIsolationLevel(level))...)
	if err != nil {
		return err
	}
	defer client.Close()
	patience := 40 * time.Second
	for seen := 0; ; {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		fetches := client.PollFetches(ctx)
		cancel()
		if fetches.Empty() {
			if seen < count {
				return fmt.Errorf("%d of %d records of %s: %w", seen, count, topic, fetches.Err())
			}
			return nil
		}
		fetches.EachRecord(func(row *kgo.Record) {
			facts.Add("%d:%d %s", row.Partition, row.Offset, row.Value)
			seen++
		})
		if seen >= count {
			patience = time.Second // What comes now is too much.
		}
	}
}

// Somebody else's transactions: see transactional.py.
func (p *program) readCommitted(facts *interop.Facts) error {
	facts.Add("committed")
	if err := p.rowsOf(facts, p.topic("committed"), 4, kgo.ReadCommitted()); err != nil {
		return err
	}
	facts.Add("uncommitted")
	return p.rowsOf(facts, p.topic("committed"), 7, kgo.ReadUncommitted())
}
