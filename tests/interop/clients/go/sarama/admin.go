// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"

	"github.com/IBM/sarama"
	"leat/interop/interop"
)

func (p *program) adminFeatures() []interop.Feature {
	return []interop.Feature{{Name: "describe_configs", Run: p.describeConfigs}, {Name: "alter_configs", Run: p.alterConfigs},
		{Name: "create_partitions", Run: p.createPartitions}, {Name: "delete_records", Run: p.deleteRecords}, {Name: "delete_topic", Run: p.deleteTopic}}
}

func (p *program) describeConfigs(facts *interop.Facts) error {
	found, err := p.admin.DescribeConfig(sarama.ConfigResource{Type: sarama.TopicResource, Name: p.topic("compact")})
	if err != nil {
		return err
	}
	rows := []string{}
	for _, entry := range found {
		synonyms := []string{}
		for _, synonym := range entry.Synonyms {
			if !strings.HasPrefix(synonym.ConfigName, "leat.") {
				synonyms = append(synonyms, synonym.ConfigName)
			}
		}
		rows = append(rows, fmt.Sprintf("config %s=%s %s default %v ro %v sensitive %v synonyms %v", entry.Name, entry.Value, entry.Source, entry.Default,
			entry.ReadOnly, entry.Sensitive, synonyms))
	}
	for _, row := range sorted(rows) {
		facts.Add("%s", row)
	}
	_, err = p.admin.DescribeConfig(sarama.ConfigResource{Type: sarama.TopicResource, Name: p.topic("not-there")})
	facts.Add("unknown topic %s", name(err))
	return nil
}

func (p *program) own(topic string) string {
	interop.Settle()
	found, err := p.admin.DescribeConfig(sarama.ConfigResource{Type: sarama.TopicResource, Name: topic})
	if err != nil {
		return name(err)
	}
	rows := []string{}
	for _, entry := range found {
		if entry.Source == sarama.SourceTopic {
			rows = append(rows, entry.Name+"="+entry.Value)
		}
	}
	return fmt.Sprint(sorted(rows))
}

func (p *program) alterConfigs(facts *interop.Facts) error {
	topic, err := p.create("settings", 1)
	if err != nil {
		return err
	}
	text := func(value string) *string { return &value }
	change := func(what, setting string, op sarama.IncrementalAlterConfigsOperation, value *string) {
		err := p.admin.IncrementalAlterConfig(sarama.TopicResource, topic, map[string]sarama.IncrementalAlterConfigsEntry{setting: {Operation: op, Value: value}}, false)
		facts.Add("%s %s %s", what, name(err), p.own(topic))
	}
	change("set", "retention.ms", sarama.IncrementalAlterConfigsOperationSet, text("123456"))
	change("append", "cleanup.policy", sarama.IncrementalAlterConfigsOperationAppend, text("compact"))
	change("subtract", "cleanup.policy", sarama.IncrementalAlterConfigsOperationSubtract, text("delete"))
	change("delete", "retention.ms", sarama.IncrementalAlterConfigsOperationDelete, nil)
	change("unknown", "no.such.setting", sarama.IncrementalAlterConfigsOperationSet, text("1"))
	change("bad value", "retention.ms", sarama.IncrementalAlterConfigsOperationSet, text("soon"))
	err = p.admin.AlterConfig(sarama.TopicResource, topic, map[string]*string{"retention.bytes": text("1000000")}, false)
	facts.Add("replace %s %s", name(err), p.own(topic))
	err = p.admin.AlterConfig(sarama.TopicResource, topic, map[string]*string{"retention.bytes": text("7")}, true)
	facts.Add("validated %s %s", name(err), p.own(topic))
	return nil
}

func (p *program) createPartitions(facts *interop.Facts) error {
	topic, err := p.create("grow", 1)
	if err != nil {
		return err
	}
	facts.Add("three %s", name(p.admin.CreatePartitions(topic, 3, nil, false)))
	facts.Add("three again %s", name(p.admin.CreatePartitions(topic, 3, nil, false)))
	facts.Add("fewer %s", name(p.admin.CreatePartitions(topic, 2, nil, false)))
	facts.Add("unknown %s", name(p.admin.CreatePartitions(p.topic("not-there"), 2, nil, false)))
	facts.Add("validated %s", name(p.admin.CreatePartitions(topic, 9, nil, true)))
	facts.Add("assigned %s", name(p.admin.CreatePartitions(topic, 4, [][]int32{{1}}, false)))
	if err := p.send(topic, interop.Simple(3, "new")); err != nil {
		return err
	}
	return p.lines(facts, "", topic, 3, 1, sarama.OffsetOldest)
}

func (p *program) deleteRecords(facts *interop.Facts) error {
	topic, err := p.create("cut", 1)
	if err != nil {
		return err
	}
	if err := p.send(topic, interop.Simple(0, interop.Numbered("value-", 10)...)); err != nil {
		return err
	}
	for _, offset := range []int64{4, 3, 11} {
		facts.Add("before %d: %s", offset, name(p.admin.DeleteRecords(topic, map[int32]int64{0: offset})))
	}
	return p.lines(facts, "", topic, 0, 6, sarama.OffsetOldest)
}

func (p *program) deleteTopic(facts *interop.Facts) error {
	topic, err := p.create("gone", 2)
	if err != nil {
		return err
	}
	facts.Add("delete %s", name(p.admin.DeleteTopic(topic)))
	facts.Add("again %s", name(p.admin.DeleteTopic(topic)))
	if _, err := p.create("gone", 1); err != nil {
		return err
	}
	if err := interop.WaitUntil("the topic of the same name", func() bool { return p.send(topic, interop.Simple(0, "new")) == nil }); err != nil {
		return err
	}
	return p.lines(facts, "", topic, 0, 1, sarama.OffsetOldest)
}
