// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/IBM/sarama"
	"leat/interop/interop"
)

func (p *program) groupFeatures() []interop.Feature {
	balance := func(how sarama.BalanceStrategy) func(*sarama.Config) {
		return func(c *sarama.Config) { c.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{how} }
	}
	return []interop.Feature{
		{Name: "group", Run: func(facts *interop.Facts) error {
			return p.twoMembers(facts, "group", balance(sarama.NewBalanceStrategyRange()))
		}},
		{Name: "cooperative", Run: func(facts *interop.Facts) error {
			return p.twoMembers(facts, "cooperative", balance(sarama.NewBalanceStrategyCooperativeSticky()))
		}},
		{Name: "static_membership", Run: p.staticMembership},
		{Name: "commit_resume", Run: p.commitResume},
		{Name: "groups_admin", Run: p.groupsAdmin},
	}
}

// handler notes what the member owns; a claim runs as long as the partition is owned.
type handler struct {
	seen *interop.Seen
	stop func(*sarama.ConsumerMessage) bool
}

func (h *handler) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (h *handler) Cleanup(sarama.ConsumerGroupSession) error { return nil }
func (h *handler) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	h.seen.Own(true, claim.Partition())
	defer h.seen.Own(false, claim.Partition())
	for {
		select {
		case row, more := <-claim.Messages():
			if !more {
				return nil
			}
			h.seen.Read(row.Partition, row.Offset, row.Value)
			session.MarkMessage(row, "read")
			if h.stop != nil && h.stop(row) {
				return nil
			}
		case <-session.Context().Done():
			return nil
		}
	}
}

func (p *program) join(group, topic string, more ...func(*sarama.Config)) (*interop.Member, error) {
	return p.joinUntil(group, topic, nil, more...)
}

func (p *program) joinUntil(group, topic string, stop func(*sarama.ConsumerMessage) bool, more ...func(*sarama.Config)) (*interop.Member, error) {
	client, err := sarama.NewConsumerGroup([]string{p.bootstrap}, group, config(more...))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	seen := interop.NewSeen()
	go func() {
		for range client.Errors() {
		}
	}()
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			if err := client.Consume(ctx, []string{topic}, &handler{seen, stop}); err != nil {
				time.Sleep(50 * time.Millisecond)
			}
		}
	}()
	return &interop.Member{Seen: seen, Leave: func() {
		cancel()
		<-done
		client.Close()
	}}, nil
}

func (p *program) twoMembers(facts *interop.Facts, short string, more ...func(*sarama.Config)) error {
	topic, err := p.create(short, 4)
	if err != nil {
		return err
	}
	group := p.topic(short + "-group")
	err = interop.TwoMembers(facts, func() (*interop.Member, error) { return p.join(group, topic, more...) },
		func(rows []interop.Record) error { return p.send(topic, rows) })
	p.committed(facts, group, topic)
	return err
}

func (p *program) committed(facts *interop.Facts, group, topic string) {
	found, err := p.admin.ListConsumerGroupOffsets(group, nil)
	facts.Add("offsets %s", name(err))
	if err != nil {
		return
	}
	rows := []string{}
	for partition, row := range found.Blocks[topic] {
		rows = append(rows, fmt.Sprintf("committed %d: %d '%s' code %d", partition, row.Offset, row.Metadata, int16(row.Err)))
	}
	for _, row := range sorted(rows) {
		facts.Add("%s", row)
	}
}

func (p *program) staticMembership(facts *interop.Facts) error {
	topic, err := p.create("static", 4)
	if err != nil {
		return err
	}
	group := p.topic("static-group")
	as := func(instance string) func(*sarama.Config) {
		return func(c *sarama.Config) { c.Consumer.Group.InstanceId = instance }
	}
	first, err := p.join(group, topic, as("one"))
	if err != nil {
		return err
	}
	other, err := p.join(group, topic, as("two"))
	if err != nil {
		return err
	}
	defer other.Leave()
	if err := interop.WaitUntil("two static members to share", func() bool { return len(first.Owned()) == 2 && len(other.Owned()) == 2 }); err != nil {
		return err
	}
	before := fmt.Sprint(first.Owned())
	first.Leave()
	again, err := p.join(group, topic, as("one"))
	if err != nil {
		return err
	}
	defer again.Leave()
	if err := interop.WaitUntil("the member to come back", func() bool { return len(again.Owned()) == 2 }); err != nil {
		return err
	}
	facts.Add("same partitions %v", fmt.Sprint(again.Owned()) == before)
	if err := interop.WaitUntil("a stable group", func() bool { return strings.Contains(p.describe(group), "Stable") }); err != nil {
		return err
	}
	facts.Add("%s", p.describe(group))
	return nil
}

func (p *program) describe(group string) string {
	found, err := p.admin.DescribeConsumerGroups([]string{group})
	if err != nil {
		return name(err)
	}
	row := found[0]
	members := []string{}
	for _, member := range row.Members {
		instance := "-"
		if member.GroupInstanceId != nil {
			instance = *member.GroupInstanceId
		}
		members = append(members, fmt.Sprintf("%s %s %s", instance, member.ClientId, member.ClientHost))
	}
	return fmt.Sprintf("code %d %s type %s protocol %s members %v", row.ErrorCode, row.State, row.ProtocolType, row.Protocol, sorted(members))
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
	for _, last := range []int64{3, 9} {
		reached := make(chan struct{}, 1)
		done := false
		member, err := p.joinUntil(group, topic, func(row *sarama.ConsumerMessage) bool {
			if row.Offset == last && !done {
				done = true
				reached <- struct{}{}
			}
			return done
		})
		if err != nil {
			return err
		}
		select {
		case <-reached:
		case <-time.After(40 * time.Second):
			err = fmt.Errorf("waited in vain for offset %d", last)
		}
		member.Leave()
		facts.Add("%v", member.Rows())
		if err != nil {
			return err
		}
		p.committed(facts, group, topic)
	}
	offsets := map[string]map[int32]sarama.OffsetAndMetadata{topic: {0: {Offset: 2, LeaderEpoch: -1}}}
	_, err = p.admin.AlterConsumerGroupOffsets(group, offsets, nil)
	facts.Add("set back %s", name(err))
	p.committed(facts, group, topic)
	facts.Add("delete offset %s", name(p.admin.DeleteConsumerGroupOffset(group, topic, 0)))
	p.committed(facts, group, topic)
	return nil
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
	listed := func() string {
		found, err := p.admin.ListConsumerGroups()
		kind, there := found[group]
		return fmt.Sprintf("%s listed %v %s", name(err), there, kind)
	}
	member, err := p.join(group, topic, func(c *sarama.Config) { c.ClientID = "member" })
	if err != nil {
		return err
	}
	err = interop.WaitUntil("the member to read", func() bool { return len(member.Rows()) == 2 })
	facts.Add("%s", listed())
	facts.Add("%s", p.describe(group))
	facts.Add("delete with members %s", name(p.admin.DeleteConsumerGroup(group)))
	member.Leave()
	facts.Add("%s", listed())
	facts.Add("%s", p.describe(group))
	facts.Add("delete %s", name(p.admin.DeleteConsumerGroup(group)))
	facts.Add("again %s", name(p.admin.DeleteConsumerGroup(group)))
	facts.Add("%s", listed())
	facts.Add("unknown %s", p.describe(p.topic("not-there")))
	return err
}
