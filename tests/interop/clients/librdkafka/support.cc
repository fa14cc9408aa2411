// SPDX-License-Identifier: Apache-2.0
#include "support.h"

#include <chrono>
#include <thread>

namespace interop {

void expect(bool condition, const std::string& text) {
    if (!condition) {
        throw Failure(text);
    }
}

void wait_until(const std::function<bool()>& condition, const std::string& what, int seconds) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
    while (!condition()) {
        expect(std::chrono::steady_clock::now() < deadline, "waited in vain for " + what);
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
}

void settle() {
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
}

rd_kafka_conf_t* conf_of(const Context& context, const Settings& settings) {
    char why[512];
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    Settings all = settings;
    all.try_emplace("bootstrap.servers", context.bootstrap);
    for (const auto& [name, value] : all) {
        if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), why, sizeof why) !=
            RD_KAFKA_CONF_OK) {
            throw Failure(why);
        }
    }
    return conf;
}

Client make_client(rd_kafka_type_t type, rd_kafka_conf_t* conf) {
    char why[512];
    rd_kafka_t* client = rd_kafka_new(type, conf, why, sizeof why);
    expect(client != nullptr, why);
    return {client, rd_kafka_destroy};
}

Settings quick(const std::string& group) {
    return {{"group.id", group},
            {"session.timeout.ms", "6000"},
            {"heartbeat.interval.ms", "500"},
            {"auto.offset.reset", "earliest"},
            {"topic.metadata.refresh.fast.interval.ms", "100"},
            {"fetch.wait.max.ms", "100"}};
}

Record sample(int index) {
    Record row{.partition = index % 3,
               .key = "key-" + std::to_string(index % 7),
               .value = "value-" + std::to_string(index),
               .headers = {}};
    row.time = kEpochMs + index * 1000;
    switch (index % 10) {
        case 9:
            row.key.reset();
            break;
        case 8:
            row.key = "";
            break;
        case 7:
            row.value.reset();
            break;
        case 6:
            row.value = "";
            break;
        default:
            break;
    }
    const std::vector<Header> all{
        {"index", std::to_string(index)}, {"empty", ""}, {"again", "1"}, {"again", "2"}};
    row.headers.assign(all.begin(), all.begin() + index % 5);
    return row;
}

std::string payload(int index) {
    std::string text = "payload-" + std::to_string(index) + "-";
    while (text.size() < 300) {
        text += "abcdefghij" + std::to_string(index * 7919);
    }
    return text.substr(0, 300);
}

std::vector<Record> simple(const std::vector<std::string>& values, int partition) {
    std::vector<Record> rows;
    for (const auto& value : values) {
        rows.push_back({.partition = partition, .key = "k", .value = value, .headers = {}});
    }
    return rows;
}

static std::string shown(const void* bytes, size_t size) {
    return bytes == nullptr ? "null"
                            : "\"" + std::string(static_cast<const char*>(bytes), size) + "\"";
}

std::string line(const rd_kafka_message_t* message) {
    rd_kafka_timestamp_type_t kind;
    const int64_t time = rd_kafka_message_timestamp(message, &kind);
    std::string text = std::to_string(message->partition) + ":" + std::to_string(message->offset) +
                       " t=" + std::to_string(kind) + "/" + std::to_string(time) +
                       " k=" + shown(message->key, message->key_len) +
                       " v=" + shown(message->payload, message->len) + " h=[";
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        const char* name;
        const void* value;
        size_t size;
        for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) ==
                           RD_KAFKA_RESP_ERR_NO_ERROR;
             ++i) {
            text += (i == 0 ? "" : ",") + std::string(name) + "=" + shown(value, size);
        }
    }
    return text + "]";
}

static void delivered(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
    *static_cast<Place*>(message->_private) = {rd_kafka_err2name(message->err), message->partition,
                                               message->offset};
}

static void* bytes_of(const std::optional<std::string>& text) {
    return text ? const_cast<char*>(text->data()) : nullptr;
}

static size_t size_of(const std::optional<std::string>& text) {
    return text ? text->size() : 0;
}

static void send(rd_kafka_t* client, const std::string& topic, const Record& row, Place* place) {
    rd_kafka_headers_t* headers = rd_kafka_headers_new(row.headers.size());
    for (const auto& [name, value] : row.headers) {
        rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                            static_cast<ssize_t>(value.size()));
    }
    const auto error = rd_kafka_producev(
        client, RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_PARTITION(row.partition),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY(bytes_of(row.key), size_of(row.key)),
        RD_KAFKA_V_VALUE(bytes_of(row.value), size_of(row.value)), RD_KAFKA_V_TIMESTAMP(row.time),
        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(place), RD_KAFKA_V_END);
    expect(error == RD_KAFKA_RESP_ERR_NO_ERROR, rd_kafka_err2name(error));
}

std::vector<Place> produce(const Context& context, const std::string& topic,
                           const std::vector<Record>& rows, const Settings& settings) {
    Settings all = settings;
    all.insert({"linger.ms", "20"});
    rd_kafka_conf_t* conf = conf_of(context, all);
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    Client client = make_client(RD_KAFKA_PRODUCER, conf);
    std::vector<Place> places(rows.size());
    for (size_t i = 0; i < rows.size(); ++i) {
        send(client.get(), topic, rows[i], &places[i]);
    }
    expect(rd_kafka_flush(client.get(), 40'000) == RD_KAFKA_RESP_ERR_NO_ERROR,
           "not all records were delivered");
    return places;
}

std::vector<Message> read(const Context& context, const std::string& topic, int partition,
                          size_t count, int64_t offset) {
    Client client = make_client(RD_KAFKA_CONSUMER, conf_of(context, quick(context.topic("none"))));
    rd_kafka_poll_set_consumer(client.get());
    rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic.c_str(), partition)->offset = offset;
    rd_kafka_assign(client.get(), list);
    rd_kafka_topic_partition_list_destroy(list);
    std::vector<Message> found;
    wait_until(
        [&] {
            rd_kafka_message_t* message = nullptr;
            while (found.size() < count &&
                   (message = rd_kafka_consumer_poll(client.get(), 200)) != nullptr) {
                expect(!message->err, rd_kafka_err2name(message->err));
                found.push_back({line(message),
                                 std::string(static_cast<char*>(message->payload), message->len),
                                 message->offset, rd_kafka_message_timestamp(message, nullptr)});
                rd_kafka_message_destroy(message);
            }
            return found.size() >= count;
        },
        std::to_string(count) + " records of " + topic);
    rd_kafka_consumer_close(client.get());
    return found;
}

Event ask(const Context& context, const std::function<void(rd_kafka_queue_t*)>& send) {
    rd_kafka_queue_t* queue = rd_kafka_queue_new(context.admin);
    send(queue);
    rd_kafka_event_t* event = rd_kafka_queue_poll(queue, 40'000);
    rd_kafka_queue_destroy(queue);
    expect(event != nullptr, "no answer to an admin request");
    return {event, rd_kafka_event_destroy};
}

std::string create(const Context& context, const NewTopic& wanted) {
    char why[512];
    rd_kafka_NewTopic_t* topic = rd_kafka_NewTopic_new(wanted.name.c_str(), wanted.partitions,
                                                       wanted.replicas, why, sizeof why);
    if (topic == nullptr) {
        return std::string("refused by the client: ") + why;
    }
    for (const auto& [name, value] : wanted.settings) {
        rd_kafka_NewTopic_set_config(topic, name.c_str(), value.c_str());
    }
    Event event = ask(context, [&](rd_kafka_queue_t* queue) {
        rd_kafka_CreateTopics(context.admin, &topic, 1, nullptr, queue);
    });
    rd_kafka_NewTopic_destroy(topic);
    if (rd_kafka_event_error(event.get())) {
        return rd_kafka_err2name(rd_kafka_event_error(event.get()));
    }
    size_t count = 0;
    const auto** results = rd_kafka_CreateTopics_result_topics(
        rd_kafka_event_CreateTopics_result(event.get()), &count);
    expect(count == 1, "one topic was asked for");
    return rd_kafka_err2name(rd_kafka_topic_result_error(results[0]));
}

std::string create_or_throw(const Context& context, const std::string& name, int partitions) {
    const std::string outcome =
        create(context, {.name = context.topic(name), .partitions = partitions, .settings = {}});
    expect(outcome == "NO_ERROR", name + ": " + outcome);
    return context.topic(name);
}

}  // namespace interop
