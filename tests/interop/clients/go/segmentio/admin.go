// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"

	"github.com/segmentio/kafka-go"
	"leat/interop/interop"
)

func (p *program) adminFeatures() []interop.Feature {
	return []interop.Feature{{Name: "describe_configs", Run: p.describeConfigs}, {Name: "alter_configs", Run: p.alterConfigs},
		{Name: "create_partitions", Run: p.createPartitions}, {Name: "delete_topic", Run: p.deleteTopic}}
}

func (p *program) config(topic string) (*kafka.DescribeConfigResponseResource, error) {
	ctx, cancel := brief()
	defer cancel()
	found, err := p.client.DescribeConfigs(ctx, &kafka.DescribeConfigsRequest{IncludeSynonyms: true,
		Resources: []kafka.DescribeConfigRequestResource{{ResourceType: kafka.ResourceTypeTopic, ResourceName: topic}}})
	if err != nil {
		return nil, err
	}
	return &found.Resources[0], found.Resources[0].Error
}

func (p *program) describeConfigs(facts *interop.Facts) error {
	found, err := p.config(p.topic("compact"))
	if err != nil {
		return err
	}
	rows := []string{}
	for _, entry := range found.ConfigEntries {
		synonyms := []string{}
		for _, synonym := range entry.ConfigSynonyms {
			if !strings.HasPrefix(synonym.ConfigName, "leat.") {
				synonyms = append(synonyms, fmt.Sprintf("%s=%s %d", synonym.ConfigName, synonym.ConfigValue, synonym.ConfigSource))
			}
		}
		rows = append(rows, fmt.Sprintf("config %s=%s source %d ro %v sensitive %v synonyms %v", entry.ConfigName, entry.ConfigValue, entry.ConfigSource,
			entry.ReadOnly, entry.IsSensitive, synonyms))
	}
	for _, row := range sorted(rows) {
		facts.Add("%s", row)
	}
	_, err = p.config(p.topic("not-there"))
	facts.Add("unknown topic %s", name(err))
	return nil
}

func (p *program) alterConfigs(facts *interop.Facts) error {
	topic, err := p.create("settings", 1)
	if err != nil {
		return err
	}
	own := func() []string {
		interop.Settle()
		rows := []string{}
		found, err := p.config(topic)
		if err != nil {
			return []string{name(err)}
		}
		for _, entry := range found.ConfigEntries {
			if entry.ConfigSource == 1 {
				rows = append(rows, entry.ConfigName+"="+entry.ConfigValue)
			}
		}
		return sorted(rows)
	}
	change := func(what, setting, value string, op kafka.ConfigOperation) error {
		ctx, cancel := brief()
		defer cancel()
		answer, err := p.client.IncrementalAlterConfigs(ctx, &kafka.IncrementalAlterConfigsRequest{Resources: []kafka.IncrementalAlterConfigsRequestResource{{
			ResourceType: kafka.ResourceTypeTopic, ResourceName: topic,
			Configs: []kafka.IncrementalAlterConfigsRequestConfig{{Name: setting, Value: value, ConfigOperation: op}}}}})
		if err != nil {
			return err
		}
		facts.Add("%s %s %v", what, name(answer.Resources[0].Error), own())
		return nil
	}
	for _, each := range []struct {
		what, setting, value string
		op                   kafka.ConfigOperation
	}{{"set", "retention.ms", "123456", kafka.ConfigOperationSet}, {"append", "cleanup.policy", "compact", kafka.ConfigOperationAppend},
		{"subtract", "cleanup.policy", "delete", kafka.ConfigOperationSubtract}, {"delete", "retention.ms", "", kafka.ConfigOperationDelete},
		{"unknown", "no.such.setting", "1", kafka.ConfigOperationSet}, {"bad value", "retention.ms", "soon", kafka.ConfigOperationSet}} {
		if err := change(each.what, each.setting, each.value, each.op); err != nil {
			return fmt.Errorf("%s: %w", each.what, err)
		}
	}
	ctx, cancel := brief()
	defer cancel()
	answer, err := p.client.AlterConfigs(ctx, &kafka.AlterConfigsRequest{Resources: []kafka.AlterConfigRequestResource{{ResourceType: kafka.ResourceTypeTopic,
		ResourceName: topic, Configs: []kafka.AlterConfigRequestConfig{{Name: "retention.bytes", Value: "1000000"}}}}})
	if err != nil {
		return err
	}
	for _, each := range answer.Errors {
		facts.Add("replace %s %v", name(each), own())
	}
	return nil
}

func (p *program) createPartitions(facts *interop.Facts) error {
	topic, err := p.create("grow", 1)
	if err != nil {
		return err
	}
	grow := func(what, topic string, count int32) {
		ctx, cancel := brief()
		defer cancel()
		answer, err := p.client.CreatePartitions(ctx, &kafka.CreatePartitionsRequest{Topics: []kafka.TopicPartitionsConfig{{Name: topic, Count: count}}})
		if err == nil {
			err = first(nil, answer.Errors)
		}
		facts.Add("%s %s", what, name(err))
	}
	grow("three", topic, 3)
	grow("three again", topic, 3)
	grow("fewer", topic, 2)
	grow("unknown", p.topic("not-there"), 2)
	// The writer's picture of the topic may be older than the partition.
	if err := interop.WaitUntil("the new partition", func() bool { return p.send(topic, interop.Simple(2, "new")) == nil }); err != nil {
		return err
	}
	return p.lines(facts, "", topic, 2, 1, kafka.FirstOffset)
}

func (p *program) deleteTopic(facts *interop.Facts) error {
	topic, err := p.create("gone", 2)
	if err != nil {
		return err
	}
	for _, what := range []string{"delete", "again"} {
		ctx, cancel := brief()
		defer cancel()
		answer, err := p.client.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: []string{topic}})
		if err == nil {
			err = first(nil, answer.Errors)
		}
		facts.Add("%s %s", what, name(err))
	}
	if _, err := p.create("gone", 1); err != nil {
		return err
	}
	if err := interop.WaitUntil("the topic of the same name", func() bool { return p.send(topic, interop.Simple(0, "new")) == nil }); err != nil {
		return err
	}
	return p.lines(facts, "", topic, 0, 1, kafka.FirstOffset)
}
