// SPDX-License-Identifier: Apache-2.0
//
// Features about records: topics, produce, consume, codecs, idempotence, offsets by time.
#include <algorithm>

#include "support.h"

namespace interop {

static void create_topics(const Context& context, Facts& facts) {
    const auto note = [&](const std::string& what, const NewTopic& topic) {
        facts.push_back(what + " " + create(context, topic));
    };
    note("new", {context.topic("records"), 3, 1, {}});
    note("with settings", {context.topic("compact"),
                           1,
                           1,
                           {{"cleanup.policy", "compact"}, {"retention.ms", "7200000"}}});
    note("defaults", {context.topic("defaults"), -1, -1, {}});
    note("again", {context.topic("records"), 3, 1, {}});
    note("bad name", {"bad/name", 1, 1, {}});
    note("long name", {std::string(250, 'n'), 1, 1, {}});
    note("three replicas", {context.topic("three"), 1, 3, {}});
    note("no partitions", {context.topic("zero"), 0, 1, {}});
    note("unknown setting", {context.topic("unknown"), 1, 1, {{"no.such.setting", "1"}}});
    note("bad setting", {context.topic("bad"), 1, 1, {{"segment.bytes", "-5"}}});
    settle();
    const struct rd_kafka_metadata* metadata = nullptr;
    expect(!rd_kafka_metadata(context.admin, 1, nullptr, &metadata, 20'000), "metadata");
    facts.push_back("brokers " + std::to_string(metadata->broker_cnt));
    const auto first = static_cast<std::ptrdiff_t>(facts.size());
    for (int i = 0; i < metadata->topic_cnt; ++i) {
        const auto& topic = metadata->topics[i];
        if (std::string(topic.topic).starts_with(context.prefix)) {
            facts.push_back(std::string(topic.topic) + " partitions " +
                            std::to_string(topic.partition_cnt) + " leader " +
                            std::to_string(topic.partitions[0].leader) + " replicas " +
                            std::to_string(topic.partitions[0].replica_cnt));
        }
    }
    std::sort(facts.begin() + first, facts.end());  // Brokers tell of topics in any order.
    rd_kafka_metadata_destroy(metadata);
}

static std::string shown(const Place& place) {
    return place.error + " " + std::to_string(place.partition) + ":" + std::to_string(place.offset);
}

static void produce_records(const Context& context, Facts& facts) {
    std::vector<Record> rows;
    for (int i = 0; i < 60; ++i) {
        rows.push_back(sample(i));
    }
    for (const auto& place : produce(context, context.topic("records"), rows)) {
        facts.push_back(shown(place));
    }
    for (const char* acks : {"0", "1", "all"}) {
        facts.push_back(
            std::string("acks ") + acks + ": " +
            produce(context, context.topic("compact"), simple({"a"}), {{"acks", acks}})[0].error);
    }
    facts.push_back("big " + produce(context, context.topic("compact"),
                                     simple({std::string(2'000'000, 'x')}),
                                     {{"message.max.bytes", "5000000"}})[0]
                                 .error);
    auto no_key = simple({"v"});
    no_key[0].key.reset();
    facts.push_back("null key, compacted " +
                    produce(context, context.topic("compact"), no_key)[0].error);
}

static void consume(const Context& context, Facts& facts) {
    for (int partition = 0; partition < 3; ++partition) {
        for (const auto& message : read(context, context.topic("records"), partition, 20)) {
            facts.push_back(message.line);
        }
    }
    for (const auto& message : read(context, context.topic("records"), 1, 13, 7)) {
        facts.push_back("from 7: " + message.line);
    }
}

static Feature codec(const std::string& name) {
    return [name](const Context& context, Facts& facts) {
        const std::string topic = create_or_throw(context, "codec-" + name);
        std::vector<Record> rows;
        for (int i = 0; i < 200; ++i) {
            rows.push_back({.partition = 0,
                            .key = "k",
                            .value = payload(i),
                            .headers = {},
                            .time = kEpochMs + i});
        }
        const auto places = produce(context, topic, rows, {{"compression.type", name}});
        const auto back = read(context, topic, 0, 200);
        for (size_t i = 0; i < 200; ++i) {
            expect(back[i].value == *rows[i].value && back[i].time == rows[i].time,
                   "record " + std::to_string(i) + " differs");
        }
        facts.push_back("first " + shown(places.front()) + " last " + shown(places.back()));
        facts.push_back("from the middle " + read(context, topic, 0, 1, 150)[0].line.substr(0, 40));
    };
}

static void idempotence(const Context& context, Facts& facts) {
    const std::string topic = create_or_throw(context, "idempotence");
    std::vector<std::string> values;
    for (int i = 0; i < 1000; ++i) {
        values.push_back("value-" + std::to_string(i));
    }
    const auto places =
        produce(context, topic, simple(values),
                {{"enable.idempotence", "true"}, {"batch.num.messages", "10"}, {"linger.ms", "0"}});
    const auto back = read(context, topic, 0, 1000);
    for (size_t i = 0; i < values.size(); ++i) {
        expect(places[i].offset == static_cast<int64_t>(i) && back[i].value == values[i],
               "record " + std::to_string(i) + " is out of place");
    }
    facts.push_back("first " + shown(places.front()) + " last " + shown(places.back()));
}

static void offsets_by_time(const Context& context, Facts& facts) {
    Client client = make_client(RD_KAFKA_CONSUMER, conf_of(context, quick(context.topic("none"))));
    const std::string topic = context.topic("records");
    for (const int64_t shift : {-1000, 0, 1, 30'000, 57'000, 57'001, 1'000'000}) {
        rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(3);
        for (int partition = 0; partition < 3; ++partition) {
            rd_kafka_topic_partition_list_add(list, topic.c_str(), partition)->offset =
                kEpochMs + shift;
        }
        const auto error = rd_kafka_offsets_for_times(client.get(), list, 20'000);
        for (int i = 0; i < list->cnt; ++i) {
            facts.push_back(std::to_string(shift) + " ms " +
                            std::to_string(list->elems[i].partition) + ": " +
                            std::to_string(list->elems[i].offset) + " " + rd_kafka_err2name(error));
        }
        rd_kafka_topic_partition_list_destroy(list);
    }
    int64_t low = 0;
    int64_t high = 0;
    expect(!rd_kafka_query_watermark_offsets(client.get(), topic.c_str(), 0, &low, &high, 20'000),
           "watermarks");
    facts.push_back("watermarks " + std::to_string(low) + " " + std::to_string(high));
    rd_kafka_consumer_close(client.get());
}

void add_record_features(Features& features) {
    features.emplace_back("create_topics", create_topics);
    features.emplace_back("produce", produce_records);
    features.emplace_back("consume", consume);
    for (const char* name : {"none", "gzip", "snappy", "lz4", "zstd"}) {
        features.emplace_back(std::string("codec_") + name, codec(name));
    }
    features.emplace_back("idempotence", idempotence);
    features.emplace_back("offsets_by_time", offsets_by_time);
}

}  // namespace interop
