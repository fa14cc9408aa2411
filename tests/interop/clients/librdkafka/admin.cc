// SPDX-License-Identifier: Apache-2.0
//
// Features about administration: configs, partitions, deletion of records and topics.
#include <algorithm>

#include "support.h"

namespace interop {
namespace {

std::string shown(const rd_kafka_ConfigEntry_t* entry) {
    const char* value = rd_kafka_ConfigEntry_value(entry);
    std::string text = std::string("config ") + rd_kafka_ConfigEntry_name(entry) + "=" +
                       (value ? value : "null") + " source " +
                       rd_kafka_ConfigSource_name(rd_kafka_ConfigEntry_source(entry)) + " ro " +
                       std::to_string(rd_kafka_ConfigEntry_is_read_only(entry)) + " sensitive " +
                       std::to_string(rd_kafka_ConfigEntry_is_sensitive(entry)) + " synonyms";
    size_t count = 0;
    const auto** synonyms = rd_kafka_ConfigEntry_synonyms(entry, &count);
    for (size_t i = 0; i < count; ++i) {
        text += std::string(" ") + rd_kafka_ConfigEntry_name(synonyms[i]);
    }
    return text;
}

// Entries of a topic's settings, or the error's name; only those set on the topic when `own`.
Facts describe(const Context& context, const std::string& topic, bool own) {
    rd_kafka_ConfigResource_t* resource =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str());
    Event event = ask(context, [&](rd_kafka_queue_t* queue) {
        rd_kafka_DescribeConfigs(context.admin, &resource, 1, nullptr, queue);
    });
    rd_kafka_ConfigResource_destroy(resource);
    size_t count = 0;
    const auto** results = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(event.get()), &count);
    expect(count == 1, "one resource was asked for");
    if (rd_kafka_ConfigResource_error(results[0])) {
        return {rd_kafka_err2name(rd_kafka_ConfigResource_error(results[0]))};
    }
    Facts found;
    const auto** entries = rd_kafka_ConfigResource_configs(results[0], &count);
    for (size_t i = 0; i < count; ++i) {
        if (!own || rd_kafka_ConfigEntry_source(entries[i]) ==
                        RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG) {
            found.push_back(shown(entries[i]));
        }
    }
    std::sort(found.begin(), found.end());
    return found;
}

std::string alter(const Context& context, const std::string& topic, const Settings& settings) {
    rd_kafka_ConfigResource_t* resource =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str());
    for (const auto& [name, value] : settings) {
        rd_kafka_ConfigResource_set_config(resource, name.c_str(), value.c_str());
    }
    Event event = ask(context, [&](rd_kafka_queue_t* queue) {
        rd_kafka_AlterConfigs(context.admin, &resource, 1, nullptr, queue);
    });
    rd_kafka_ConfigResource_destroy(resource);
    size_t count = 0;
    const auto** results = rd_kafka_AlterConfigs_result_resources(
        rd_kafka_event_AlterConfigs_result(event.get()), &count);
    return count == 1 ? rd_kafka_err2name(rd_kafka_ConfigResource_error(results[0]))
                      : rd_kafka_err2name(rd_kafka_event_error(event.get()));
}

void describe_configs(const Context& context, Facts& facts) {
    facts = describe(context, context.topic("compact"), false);
    facts.push_back("unknown topic " + describe(context, context.topic("not-there"), false)[0]);
}

void alter_configs(const Context& context, Facts& facts) {
    const std::string topic = create_or_throw(context, "settings");
    const auto note = [&](const std::string& what, const Settings& settings) {
        facts.push_back(what + " " + alter(context, topic, settings));
        settle();
        for (const auto& row : describe(context, topic, true)) {
            facts.push_back(row);
        }
    };
    note("set", {{"retention.ms", "123456"}, {"max.message.bytes", "2000000"}});
    note("replace", {{"cleanup.policy", "compact,delete"}});
    note("unknown", {{"no.such.setting", "1"}});
    note("bad value", {{"retention.ms", "soon"}});
    note("clear", {});
    facts.push_back("unknown topic " +
                    alter(context, context.topic("not-there"), {{"retention.ms", "1"}}));
}

std::string grow(const Context& context, const std::string& topic, size_t count) {
    char why[512];
    rd_kafka_NewPartitions_t* wanted =
        rd_kafka_NewPartitions_new(topic.c_str(), count, why, sizeof why);
    expect(wanted != nullptr, why);
    Event event = ask(context, [&](rd_kafka_queue_t* queue) {
        rd_kafka_CreatePartitions(context.admin, &wanted, 1, nullptr, queue);
    });
    rd_kafka_NewPartitions_destroy(wanted);
    size_t results_count = 0;
    const auto** results = rd_kafka_CreatePartitions_result_topics(
        rd_kafka_event_CreatePartitions_result(event.get()), &results_count);
    return rd_kafka_err2name(rd_kafka_topic_result_error(results[0]));
}

void create_partitions(const Context& context, Facts& facts) {
    const std::string topic = create_or_throw(context, "grow");
    facts.push_back("three " + grow(context, topic, 3));
    facts.push_back("three again " + grow(context, topic, 3));
    facts.push_back("fewer " + grow(context, topic, 2));
    facts.push_back("unknown " + grow(context, context.topic("not-there"), 2));
    produce(context, topic, simple({"new"}, 2));
    facts.push_back(read(context, topic, 2, 1)[0].line);
}

std::string cut(const Context& context, const std::string& topic, int64_t offset) {
    rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic.c_str(), 0)->offset = offset;
    rd_kafka_DeleteRecords_t* wanted = rd_kafka_DeleteRecords_new(list);
    rd_kafka_topic_partition_list_destroy(list);
    Event event = ask(context, [&](rd_kafka_queue_t* queue) {
        rd_kafka_DeleteRecords(context.admin, &wanted, 1, nullptr, queue);
    });
    rd_kafka_DeleteRecords_destroy(wanted);
    if (rd_kafka_event_error(event.get())) {
        return rd_kafka_err2name(rd_kafka_event_error(event.get()));
    }
    const auto& row =
        rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event.get()))
            ->elems[0];
    return row.err ? rd_kafka_err2name(row.err) : "low watermark " + std::to_string(row.offset);
}

void delete_records(const Context& context, Facts& facts) {
    const std::string topic = create_or_throw(context, "cut");
    std::vector<std::string> values;
    for (int i = 0; i < 10; ++i) {
        values.push_back("value-" + std::to_string(i));
    }
    produce(context, topic, simple(values));
    for (const int64_t offset : {4, 3, 11}) {
        facts.push_back("before " + std::to_string(offset) + ": " + cut(context, topic, offset));
    }
    for (const auto& message : read(context, topic, 0, 6)) {
        facts.push_back(message.line);
    }
    facts.push_back("all: " + cut(context, topic, RD_KAFKA_OFFSET_END));
}

std::string delete_one(const Context& context, const std::string& topic) {
    rd_kafka_DeleteTopic_t* wanted = rd_kafka_DeleteTopic_new(topic.c_str());
    Event event = ask(context, [&](rd_kafka_queue_t* queue) {
        rd_kafka_DeleteTopics(context.admin, &wanted, 1, nullptr, queue);
    });
    rd_kafka_DeleteTopic_destroy(wanted);
    size_t count = 0;
    const auto** results = rd_kafka_DeleteTopics_result_topics(
        rd_kafka_event_DeleteTopics_result(event.get()), &count);
    return rd_kafka_err2name(rd_kafka_topic_result_error(results[0]));
}

void delete_topic(const Context& context, Facts& facts) {
    const std::string topic = create_or_throw(context, "gone", 2);
    produce(context, topic, simple({"old"}));
    facts.push_back("delete " + delete_one(context, topic));
    facts.push_back("again " + delete_one(context, topic));
    create_or_throw(context, "gone");
    // A broker may tell of the new topic a moment after it agreed to create it.
    wait_until([&] { return produce(context, topic, simple({"new"}))[0].error == "NO_ERROR"; },
               "the topic of the same name");
    facts.push_back(read(context, topic, 0, 1)[0].line);
}

}  // namespace

void add_admin_features(Features& features) {
    features.emplace_back("describe_configs", describe_configs);
    features.emplace_back("alter_configs", alter_configs);
    features.emplace_back("create_partitions", create_partitions);
    features.emplace_back("delete_records", delete_records);
    features.emplace_back("delete_topic", delete_topic);
}

}  // namespace interop
