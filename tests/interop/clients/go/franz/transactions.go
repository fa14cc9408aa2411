// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
	"leat/interop/interop"
)

func (p *program) transactionFeatures() []interop.Feature {
	return []interop.Feature{{Name: "transactions", Run: p.transactions}}
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
