// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kmsg"
	"leat/interop/interop"
)

func (p *program) adminFeatures() []interop.Feature {
	return []interop.Feature{{Name: "describe_configs", Run: p.describeConfigs}, {Name: "alter_configs", Run: p.alterConfigs},
		{Name: "create_partitions", Run: p.createPartitions}, {Name: "delete_records", Run: p.deleteRecords}, {Name: "delete_topic", Run: p.deleteTopic}}
}

func value(text *string) string {
	if text == nil {
		return "null"
	}
	return *text
}

func (p *program) describeConfigs(facts *interop.Facts) error {
	ctx, cancel := brief()
	defer cancel()
	found, err := p.admin.DescribeTopicConfigs(ctx, p.topic("compact"))
	if err != nil {
		return err
	}
	rows := []string{}
	for _, entry := range found[0].Configs {
		synonyms := []string{}
		for _, synonym := range entry.Synonyms {
			if !strings.HasPrefix(synonym.Key, "leat.") {
				synonyms = append(synonyms, fmt.Sprintf("%s=%s %s", synonym.Key, value(synonym.Value), synonym.Source))
			}
		}
		rows = append(rows, fmt.Sprintf("config %s=%s %s sensitive %v synonyms %v", entry.Key, value(entry.Value), entry.Source, entry.Sensitive, synonyms))
	}
	for _, row := range sorted(rows) {
		facts.Add("%s", row)
	}
	// The whole answer of the highest version: documentation on request, types, read-only.
	request := kmsg.NewPtrDescribeConfigsRequest()
	request.IncludeDocumentation = true
	resource := kmsg.NewDescribeConfigsRequestResource()
	resource.ResourceType, resource.ResourceName, resource.ConfigNames = kmsg.ConfigResourceTypeTopic, p.topic("compact"), []string{"retention.ms", "no.such"}
	request.Resources = append(request.Resources, resource)
	answer, err := request.RequestWith(ctx, p.client)
	if err != nil {
		return err
	}
	for _, row := range answer.Resources {
		facts.Add("version %d error %d entries %d", answer.Version, row.ErrorCode, len(row.Configs))
		for _, entry := range row.Configs {
			facts.Add("%s type %d read-only %v documented %v", entry.Name, entry.ConfigType, entry.ReadOnly, entry.Documentation != nil)
		}
	}
	missing, err := p.admin.DescribeTopicConfigs(ctx, p.topic("not-there"))
	facts.Add("unknown topic %s %s", name(err), name(missing[0].Err))
	return nil
}

func (p *program) alterConfigs(facts *interop.Facts) error {
	ctx, cancel := brief()
	defer cancel()
	topic, err := p.create("settings", 1)
	if err != nil {
		return err
	}
	text := func(value string) *string { return &value }
	for _, change := range []struct {
		what, topic string
		configs     []kadm.AlterConfig
	}{
		{"set", topic, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "retention.ms", Value: text("123456")}, {Op: kadm.SetConfig, Name: "max.message.bytes", Value: text("2000000")}}},
		{"append", topic, []kadm.AlterConfig{{Op: kadm.AppendConfig, Name: "cleanup.policy", Value: text("compact")}}},
		{"subtract", topic, []kadm.AlterConfig{{Op: kadm.SubtractConfig, Name: "cleanup.policy", Value: text("delete")}}},
		{"delete", topic, []kadm.AlterConfig{{Op: kadm.DeleteConfig, Name: "retention.ms"}}},
		{"unknown", topic, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "no.such.setting", Value: text("1")}}},
		{"bad value", topic, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "retention.ms", Value: text("soon")}}},
		{"null value", topic, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "retention.ms"}}},
		{"twice", topic, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "retention.ms", Value: text("1")}, {Op: kadm.SetConfig, Name: "retention.ms", Value: text("2")}}},
		{"unknown topic", p.topic("not-there"), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "retention.ms", Value: text("1")}}},
	} {
		done, err := p.admin.AlterTopicConfigs(ctx, change.configs, change.topic)
		if err != nil {
			return err
		}
		facts.Add("%s %s %s", change.what, name(done[0].Err), p.own(topic))
	}
	whole, err := p.admin.AlterTopicConfigsState(ctx, []kadm.AlterConfig{{Name: "retention.bytes", Value: text("1000000")}}, topic)
	if err != nil {
		return err
	}
	facts.Add("replace %s %s", name(whole[0].Err), p.own(topic))
	dry, err := p.admin.ValidateAlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "retention.ms", Value: text("7")}}, topic)
	if err != nil {
		return err
	}
	facts.Add("validated %s %s", name(dry[0].Err), p.own(topic))
	return nil
}

// own settings of a topic.
func (p *program) own(topic string) string {
	interop.Settle()
	ctx, cancel := brief()
	defer cancel()
	found, err := p.admin.DescribeTopicConfigs(ctx, topic)
	if err != nil {
		return name(err)
	}
	rows := []string{}
	for _, entry := range found[0].Configs {
		if entry.Source == kmsg.ConfigSourceDynamicTopicConfig {
			rows = append(rows, entry.Key+"="+value(entry.Value))
		}
	}
	return fmt.Sprint(sorted(rows))
}

func (p *program) createPartitions(facts *interop.Facts) error {
	ctx, cancel := brief()
	defer cancel()
	topic, err := p.create("grow", 1)
	if err != nil {
		return err
	}
	for _, wanted := range []struct {
		what, topic string
		count       int
	}{{"three", topic, 3}, {"three again", topic, 3}, {"fewer", topic, 2}, {"unknown", p.topic("not-there"), 2}} {
		done, err := p.admin.UpdatePartitions(ctx, wanted.count, wanted.topic)
		facts.Add("%s %s %s", wanted.what, name(err), name(done[wanted.topic].Err))
	}
	// A node may tell of the new partitions a moment after its controller has made them, and a record for one it does not tell of is refused by the client.
	if err := interop.WaitUntil("the new partitions", func() bool {
		found, err := p.admin.ListTopics(ctx, topic)
		return err == nil && len(found[topic].Partitions) == 3
	}); err != nil {
		return err
	}
	if err := p.send(topic, interop.Simple(2, "new")); err != nil {
		return err
	}
	return p.lines(facts, "", topic, 2, 1, 0)
}

func (p *program) deleteRecords(facts *interop.Facts) error {
	ctx, cancel := brief()
	defer cancel()
	topic, err := p.create("cut", 1)
	if err != nil {
		return err
	}
	if err := p.send(topic, interop.Simple(0, interop.Numbered("value-", 10)...)); err != nil {
		return err
	}
	for _, offset := range []int64{4, 3, 11, -1} {
		var offsets kadm.Offsets
		offsets.AddOffset(topic, 0, offset, -1)
		done, err := p.admin.DeleteRecords(ctx, offsets)
		if err != nil {
			return err
		}
		row, _ := done.Lookup(topic, 0)
		facts.Add("before %d: %s low watermark %d", offset, name(row.Err), row.LowWatermark)
		if offset == 11 {
			if err := p.lines(facts, "", topic, 0, 6, 0); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *program) deleteTopic(facts *interop.Facts) error {
	ctx, cancel := brief()
	defer cancel()
	topic, err := p.create("gone", 2)
	if err != nil {
		return err
	}
	for _, what := range []string{"delete", "again"} {
		_, err := p.admin.DeleteTopic(ctx, topic)
		facts.Add("%s %s", what, name(err))
	}
	if _, err := p.create("gone", 1); err != nil {
		return err
	}
	if err := interop.WaitUntil("the topic of the same name", func() bool { return p.send(topic, interop.Simple(0, "new")) == nil }); err != nil {
		return err
	}
	return p.lines(facts, "", topic, 0, 1, 0)
}
