// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"leat/interop/interop"
)

func (p *program) groupFeatures() []interop.Feature {
	return []interop.Feature{{Name: "group", Run: p.group}, {Name: "commit_resume", Run: p.commitResume}, {Name: "groups_admin", Run: p.groupsAdmin}}
}

// claim reads one partition as long as the generation lives, and commits what it read.
func (p *program) claim(ctx context.Context, generation *kafka.Generation, topic string, given kafka.PartitionAssignment, seen *interop.Seen) {
	reader := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{p.bootstrap}, Topic: topic, Partition: given.ID, MaxWait: 100 * time.Millisecond})
	defer reader.Close()
	if err := reader.SetOffset(given.Offset); err != nil {
		return
	}
	for {
		row, err := reader.ReadMessage(ctx)
		if err != nil {
			return
		}
		seen.Read(int32(row.Partition), row.Offset, row.Value)
		if generation.CommitOffsets(map[string]map[int]int64{topic: {given.ID: row.Offset + 1}}) != nil {
			return
		}
	}
}

func (p *program) join(group, topic string) (*interop.Member, error) {
	client, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{ID: group, Brokers: []string{p.bootstrap}, Topics: []string{topic},
		HeartbeatInterval: 300 * time.Millisecond, SessionTimeout: 6 * time.Second, RebalanceTimeout: 10 * time.Second, StartOffset: kafka.FirstOffset,
		JoinGroupBackoff: 100 * time.Millisecond, GroupBalancers: []kafka.GroupBalancer{kafka.RangeGroupBalancer{}}})
	if err != nil {
		return nil, err
	}
	seen := interop.NewSeen()
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		for {
			generation, err := client.Next(ctx)
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				continue
			}
			owned := []int32{}
			for _, given := range generation.Assignments[topic] {
				owned = append(owned, int32(given.ID))
				generation.Start(func(ctx context.Context) { p.claim(ctx, generation, topic, given, seen) })
			}
			seen.OwnOnly(owned)
		}
	})
	return &interop.Member{Seen: seen, Leave: func() {
		cancel()
		done.Wait()
		client.Close()
	}}, nil
}

func (p *program) group(facts *interop.Facts) error {
	topic, err := p.create("group", 4)
	if err != nil {
		return err
	}
	group := p.topic("group-group")
	err = interop.TwoMembers(facts, func() (*interop.Member, error) { return p.join(group, topic) },
		func(rows []interop.Record) error { return p.send(topic, rows) })
	p.committed(facts, group, topic, 0, 1, 2, 3)
	return err
}

func (p *program) committed(facts *interop.Facts, group, topic string, partitions ...int) {
	ctx, cancel := brief()
	defer cancel()
	found, err := p.client.OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: group, Topics: map[string][]int{topic: partitions}})
	if err != nil {
		facts.Add("offsets %s", name(err))
		return
	}
	rows := []string{}
	for _, row := range found.Topics[topic] {
		rows = append(rows, fmt.Sprintf("committed %d: %d '%s' %s", row.Partition, row.CommittedOffset, row.Metadata, name(row.Error)))
	}
	for _, row := range sorted(rows) {
		facts.Add("%s", row)
	}
}

func (p *program) commitResume(facts *interop.Facts) error {
	topic, err := p.create("commit", 1)
	if err != nil {
		return err
	}
	group := p.topic("commit-group")
	if err := p.send(topic, interop.Simple(0, interop.Numbered("value-", 10)...)); err != nil {
		return err
	}
	for _, count := range []int{4, 6} {
		reader := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{p.bootstrap}, GroupID: group, Topic: topic, StartOffset: kafka.FirstOffset,
			MaxWait: 100 * time.Millisecond, SessionTimeout: 6 * time.Second, HeartbeatInterval: 300 * time.Millisecond})
		ctx, cancel := brief()
		for range count {
			row, err := reader.FetchMessage(ctx)
			if err == nil {
				facts.Add("%d: %s", count, record(row).Line())
				err = reader.CommitMessages(ctx, row)
			}
			if err != nil {
				cancel()
				reader.Close()
				return err
			}
		}
		cancel()
		if err := reader.Close(); err != nil {
			return err
		}
		p.committed(facts, group, topic, 0)
	}
	return nil
}

func (p *program) describe(group string) string {
	ctx, cancel := brief()
	defer cancel()
	found, err := p.client.DescribeGroups(ctx, &kafka.DescribeGroupsRequest{GroupIDs: []string{group}})
	if err != nil {
		return name(err)
	}
	row := found.Groups[0]
	members := []string{}
	for _, member := range row.Members {
		members = append(members, fmt.Sprintf("%s %v", member.ClientHost, member.MemberAssignments.Topics))
	}
	return fmt.Sprintf("%s %s members %v", name(row.Error), row.GroupState, sorted(members))
}

func (p *program) groupsAdmin(facts *interop.Facts) error {
	topic, err := p.create("admin", 1)
	if err != nil {
		return err
	}
	group := p.topic("admin-group")
	if err := p.send(topic, interop.Simple(0, "a", "b")); err != nil {
		return err
	}
	remove := func() string {
		ctx, cancel := brief()
		defer cancel()
		answer, err := p.client.DeleteGroups(ctx, &kafka.DeleteGroupsRequest{GroupIDs: []string{group}})
		if err != nil {
			return name(err)
		}
		return name(first(nil, answer.Errors))
	}
	listed := func() string {
		ctx, cancel := brief()
		defer cancel()
		answer, err := p.client.ListGroups(ctx, &kafka.ListGroupsRequest{})
		if err != nil {
			return name(err)
		}
		for _, row := range answer.Groups {
			if row.GroupID == group {
				return fmt.Sprintf("listed %s coordinator %d", row.ProtocolType, row.Coordinator)
			}
		}
		return "not listed"
	}
	member, err := p.join(group, topic)
	if err != nil {
		return err
	}
	err = interop.WaitUntil("the member to read", func() bool { return len(member.Rows()) == 2 })
	facts.Add("%s", listed())
	facts.Add("%s", p.describe(group))
	facts.Add("delete with members %s", remove())
	member.Leave()
	facts.Add("%s", listed())
	facts.Add("%s", p.describe(group))
	facts.Add("delete %s", remove())
	facts.Add("again %s", remove())
	facts.Add("%s", listed())
	facts.Add("unknown %s", p.describe(p.topic("not-there")))
	return err
}
