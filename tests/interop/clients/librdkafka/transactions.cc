// SPDX-License-Identifier: Apache-2.0
//
// Features about transactions: what is seen of them, fencing, offsets inside them.
#include <map>
#include <set>

#include "support.h"

namespace interop {
namespace {

constexpr int kPatience = 30'000;

std::string name_of(rd_kafka_error_t* error) {
    if (error == nullptr) return "OK";
    std::string name = rd_kafka_error_name(error);
    if (rd_kafka_error_is_fatal(error)) name += " fatal";
    if (rd_kafka_error_txn_requires_abort(error)) name += " to be aborted";
    rd_kafka_error_destroy(error);
    return name;
}

void must(rd_kafka_error_t* error) {
    const std::string name = name_of(error);
    expect(name == "OK", name);
}

Client writer(const Context& context, const std::string& id) {
    Client client = make_client(
        RD_KAFKA_PRODUCER,
        conf_of(context, {{"transactional.id", context.topic(id)}, {"linger.ms", "0"}}));
    must(rd_kafka_init_transactions(client.get(), kPatience));
    return client;
}

void send(rd_kafka_t* client, const std::string& topic, int partition, const std::string& value) {
    const auto error = rd_kafka_producev(
        client, RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()), RD_KAFKA_V_END);
    expect(error == RD_KAFKA_RESP_ERR_NO_ERROR, rd_kafka_err2name(error));
}

// Rows of all partitions up to their end, in order of place.
void seen(const Context& context, Facts& facts, const std::string& topic, int partitions,
          const std::string& isolation) {
    Settings settings{{"isolation.level", isolation}, {"enable.partition.eof", "true"}};
    settings.merge(quick(context.topic("reader")));
    Client client = make_client(RD_KAFKA_CONSUMER, conf_of(context, settings));
    rd_kafka_poll_set_consumer(client.get());
    rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(partitions);
    for (int i = 0; i < partitions; ++i) {
        rd_kafka_topic_partition_list_add(list, topic.c_str(), i)->offset = 0;
    }
    rd_kafka_assign(client.get(), list);
    rd_kafka_topic_partition_list_destroy(list);
    std::map<std::pair<int, int64_t>, std::string> rows;
    std::set<int> ended;
    wait_until(
        [&] {
            rd_kafka_message_t* row = rd_kafka_consumer_poll(client.get(), 200);
            if (row == nullptr) return false;
            if (row->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
                ended.insert(row->partition);
            } else {
                expect(!row->err, rd_kafka_err2name(row->err));
                rows[{row->partition, row->offset}] =
                    std::string(static_cast<char*>(row->payload), row->len);
            }
            rd_kafka_message_destroy(row);
            return static_cast<int>(ended.size()) == partitions;
        },
        "the end of " + topic);
    rd_kafka_consumer_close(client.get());
    for (const auto& [place, value] : rows) {
        facts.push_back(isolation + " " + std::to_string(place.first) + ":" +
                        std::to_string(place.second) + " " + value);
    }
}

void transactions(const Context& context, Facts& facts) {
    const std::string topic = create_or_throw(context, "transactions", 3);
    const Client first = writer(context, "writer");
    for (int i = 0; i < 6; ++i) {
        must(rd_kafka_begin_transaction(first.get()));
        for (int partition = 0; partition < 3; ++partition) {
            send(first.get(), topic, partition,
                 "t" + std::to_string(i) + "-" + std::to_string(partition));
        }
        if (i % 3 == 2) {
            rd_kafka_flush(first.get(), kPatience);
            must(rd_kafka_abort_transaction(first.get(), kPatience));
        } else {
            must(rd_kafka_commit_transaction(first.get(), kPatience));
        }
    }
    must(rd_kafka_begin_transaction(first.get()));
    facts.push_back("nothing committed " +
                    name_of(rd_kafka_commit_transaction(first.get(), kPatience)));
    must(rd_kafka_begin_transaction(first.get()));
    send(first.get(), topic, 0, "left open");
    rd_kafka_flush(first.get(), kPatience);
    seen(context, facts, topic, 3, "read_committed");
    const Client second = writer(context, "writer");
    send(first.get(), topic, 0, "too late");
    facts.push_back("fenced " + name_of(rd_kafka_commit_transaction(first.get(), kPatience)));
    must(rd_kafka_begin_transaction(second.get()));
    send(second.get(), topic, 1, "second");
    must(rd_kafka_commit_transaction(second.get(), kPatience));
    seen(context, facts, topic, 3, "read_committed");
    seen(context, facts, topic, 3, "read_uncommitted");
}

int64_t committed(rd_kafka_t* consumer, const std::string& topic) {
    rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic.c_str(), 0);
    const auto error = rd_kafka_committed(consumer, list, kPatience);
    const int64_t offset = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    expect(!error, rd_kafka_err2name(error));
    return offset;
}

// Commits that offset of the group in the open transaction.
void send_offset(rd_kafka_t* producer, rd_kafka_t* consumer, const std::string& topic,
                 int64_t offset) {
    rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic.c_str(), 0)->offset = offset;
    rd_kafka_consumer_group_metadata_t* group = rd_kafka_consumer_group_metadata(consumer);
    rd_kafka_error_t* error =
        rd_kafka_send_offsets_to_transaction(producer, list, group, kPatience);
    rd_kafka_consumer_group_metadata_destroy(group);
    rd_kafka_topic_partition_list_destroy(list);
    must(error);
}

void transactional_offsets(const Context& context, Facts& facts) {
    const std::string source = create_or_throw(context, "source");
    const std::string target = create_or_throw(context, "target");
    std::vector<std::string> values;
    for (int i = 0; i < 10; ++i) values.push_back("v" + std::to_string(i));
    produce(context, source, simple(values));
    const Client producer = writer(context, "transformer");
    Settings settings{{"enable.auto.commit", "false"}};
    settings.merge(quick(context.topic("transformers")));
    const Client consumer = make_client(RD_KAFKA_CONSUMER, conf_of(context, settings));
    rd_kafka_poll_set_consumer(consumer.get());
    rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, source.c_str(), RD_KAFKA_PARTITION_UA);
    rd_kafka_subscribe(consumer.get(), list);
    rd_kafka_topic_partition_list_destroy(list);
    std::vector<int64_t> rows;
    wait_until(
        [&] {
            rd_kafka_message_t* row = rd_kafka_consumer_poll(consumer.get(), 200);
            if (row == nullptr) return false;
            if (!row->err) rows.push_back(row->offset);
            rd_kafka_message_destroy(row);
            return rows.size() == 10;
        },
        "ten records");
    for (size_t start = 0; start < 10; start += 5) {
        must(rd_kafka_begin_transaction(producer.get()));
        for (size_t i = start; i < start + 5; ++i) {
            send(producer.get(), target, 0, "seen " + std::to_string(rows[i]));
        }
        send_offset(producer.get(), consumer.get(), source, static_cast<int64_t>(start) + 5);
        if (start == 0) {
            must(rd_kafka_commit_transaction(producer.get(), kPatience));
        } else {
            rd_kafka_flush(producer.get(), kPatience);
            must(rd_kafka_abort_transaction(producer.get(), kPatience));
        }
        facts.push_back("committed " + std::to_string(committed(consumer.get(), source)));
    }
    rd_kafka_consumer_close(consumer.get());
    seen(context, facts, target, 1, "read_committed");
}

// Somebody else's transactions: see transactional.py.
void read_committed(const Context& context, Facts& facts) {
    seen(context, facts, context.topic("committed"), 1, "read_committed");
    seen(context, facts, context.topic("committed"), 1, "read_uncommitted");
}

}  // namespace

void add_transaction_features(Features& features) {
    features.emplace_back("transactions", transactions);
    features.emplace_back("transactional_offsets", transactional_offsets);
    features.emplace_back("read_committed", read_committed);
}

}  // namespace interop
