// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"leat/interop/interop"
)

func (p *program) groupFeatures() []interop.Feature {
	return []interop.Feature{
		{Name: "group", Run: func(facts *interop.Facts) error {
			return p.twoMembers(facts, "group", kgo.Balancers(kgo.RangeBalancer()))
		}},
		{Name: "cooperative", Run: func(facts *interop.Facts) error {
			return p.twoMembers(facts, "cooperative", kgo.Balancers(kgo.CooperativeStickyBalancer()))
		}},
		{Name: "consumer_protocol", Run: func(facts *interop.Facts) error {
			// The client still asks for this word before it uses the protocol.
			wanted := context.WithValue(context.Background(), "opt_in_kafka_next_gen_balancer_beta", true) //nolint:staticcheck
			return p.twoMembers(facts, "consumer-protocol", kgo.Balancers(kgo.RangeBalancer()), kgo.WithContext(wanted))
		}},
		{Name: "static_membership", Run: p.staticMembership},
		{Name: "commit_resume", Run: p.commitResume},
		{Name: "groups_admin", Run: p.groupsAdmin},
	}
}

// join starts a member that reads until it leaves.
func (p *program) join(group, topic string, more ...kgo.Opt) (*interop.Member, error) {
	seen := interop.NewSeen()
	note := func(given bool) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(_ context.Context, _ *kgo.Client, places map[string][]int32) { seen.Own(given, places[topic]...) }
	}
	options := []kgo.Opt{kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.SessionTimeout(6 * time.Second), kgo.HeartbeatInterval(300 * time.Millisecond), kgo.OnPartitionsAssigned(note(true)),
		kgo.OnPartitionsRevoked(note(false)), kgo.OnPartitionsLost(note(false)), kgo.AutoCommitInterval(200 * time.Millisecond)}
	client, err := kgo.NewClient(p.options(append(options, more...)...)...)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			client.PollFetches(ctx).EachRecord(func(row *kgo.Record) { seen.Read(row.Partition, row.Offset, row.Value) })
		}
	}()
	return &interop.Member{Seen: seen, Leave: func() {
		cancel()
		<-done
		last, stop := brief()
		defer stop()
		client.CommitUncommittedOffsets(last)
		client.Close()
	}}, nil
}

func (p *program) twoMembers(facts *interop.Facts, short string, more ...kgo.Opt) error {
	topic, err := p.create(short, 4)
	if err != nil {
		return err
	}
	group := p.topic(short + "-group")
	err = interop.TwoMembers(facts, func() (*interop.Member, error) { return p.join(group, topic, more...) },
		func(rows []interop.Record) error { return p.send(topic, rows) })
	p.committed(facts, group)
	return err
}

func (p *program) committed(facts *interop.Facts, group string) {
	ctx, cancel := brief()
	defer cancel()
	found, err := p.admin.FetchOffsets(ctx, group)
	facts.Add("offsets %s", name(err))
	for _, row := range found.Sorted() {
		facts.Add("committed %s %d: %d '%s' %s", row.Topic, row.Partition, row.At, row.Metadata, name(row.Err))
	}
}

func (p *program) staticMembership(facts *interop.Facts) error {
	topic, err := p.create("static", 4)
	if err != nil {
		return err
	}
	group := p.topic("static-group")
	first, err := p.join(group, topic, kgo.InstanceID("one"))
	if err != nil {
		return err
	}
	other, err := p.join(group, topic, kgo.InstanceID("two"))
	if err != nil {
		return err
	}
	defer other.Leave()
	if err := interop.WaitUntil("two static members to share", func() bool { return len(first.Owned()) == 2 && len(other.Owned()) == 2 }); err != nil {
		return err
	}
	before, assigns := fmt.Sprint(first.Owned()), other.Assigns
	first.Leave()
	again, err := p.join(group, topic, kgo.InstanceID("one"))
	if err != nil {
		return err
	}
	defer again.Leave()
	if err := interop.WaitUntil("the member to come back", func() bool { return len(again.Owned()) == 2 }); err != nil {
		return err
	}
	facts.Add("same partitions %v, rebalances of the other %d", fmt.Sprint(again.Owned()) == before, other.Assigns-assigns)
	if err := interop.WaitUntil("a stable group", func() bool { return strings.Contains(p.describe(group), "Stable") }); err != nil {
		return err
	}
	facts.Add("%s", p.describe(group))
	return nil
}

func (p *program) describe(group string) string {
	ctx, cancel := brief()
	defer cancel()
	found, err := p.admin.DescribeGroups(ctx, group)
	if err != nil {
		return name(err)
	}
	row := found[group]
	members := []string{}
	for _, member := range row.Members {
		instance := "-"
		if member.InstanceID != nil {
			instance = *member.InstanceID
		}
		assigned, _ := member.Assigned.AsConsumer()
		partitions := 0
		for _, topic := range assigned.Topics {
			partitions += len(topic.Partitions)
		}
		members = append(members, fmt.Sprintf("%s %s %s %d", instance, member.ClientID, member.ClientHost, partitions))
	}
	return fmt.Sprintf("%s %s type %s protocol %s coordinator %d members %v", name(row.Err), row.State, row.ProtocolType, row.Protocol, row.Coordinator.NodeID,
		sorted(members))
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
		client, err := kgo.NewClient(p.options(kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit(),
			kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
		if err != nil {
			return err
		}
		ctx, cancel := brief()
		for got := 0; got < count && ctx.Err() == nil; {
			fetches := client.PollRecords(ctx, count-got)
			var rows []*kgo.Record
			fetches.EachRecord(func(row *kgo.Record) {
				facts.Add("%d: %s", count, record(row).Line())
				rows = append(rows, row)
			})
			got += len(rows)
			if err = client.CommitRecords(ctx, rows...); err != nil {
				break
			}
		}
		client.Close()
		cancel()
		if err != nil {
			return err
		}
		p.committed(facts, group)
	}
	ctx, cancel := brief()
	defer cancel()
	var offsets kadm.Offsets
	offsets.AddOffset(topic, 0, 2, -1)
	set, err := p.admin.CommitOffsets(ctx, group, offsets)
	facts.Add("set back %s %v", name(err), set.Error())
	p.committed(facts, group)
	var places kadm.TopicsSet
	places.Add(topic, 0)
	removed, err := p.admin.DeleteOffsets(ctx, group, places)
	facts.Add("delete offsets %s %v", name(err), removed.Error())
	p.committed(facts, group)
	return nil
}

func (p *program) listed(group string) string {
	ctx, cancel := brief()
	defer cancel()
	found, err := p.admin.ListGroups(ctx)
	rows := []string{}
	for _, row := range found.Sorted() {
		if row.Group == group {
			rows = append(rows, strings.Join([]string{row.Group, row.GroupType, row.ProtocolType, row.State}, " "))
		}
	}
	return fmt.Sprintf("%s listed %v", name(err), rows)
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
		_, err := p.admin.DeleteGroup(ctx, group)
		return name(err)
	}
	member, err := p.join(group, topic, kgo.ClientID("member"))
	if err != nil {
		return err
	}
	err = interop.WaitUntil("the member to read", func() bool { return len(member.Rows()) == 2 })
	facts.Add("%s", p.listed(group))
	facts.Add("%s", p.describe(group))
	facts.Add("delete with members %s", remove())
	member.Leave()
	facts.Add("%s", p.listed(group))
	facts.Add("%s", p.describe(group))
	facts.Add("delete %s", remove())
	facts.Add("again %s", remove())
	facts.Add("%s", p.listed(group))
	facts.Add("unknown %s", p.describe(p.topic("not-there")))
	return err
}
