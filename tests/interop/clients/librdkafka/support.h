// SPDX-License-Identifier: Apache-2.0
//
// What the features of the librdkafka program share: a context, records as text, producing,
// reading, facts.
#pragma once

#include <librdkafka/rdkafka.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace interop {

using Facts = std::vector<std::string>;
using Settings = std::map<std::string, std::string>;

constexpr int64_t kEpochMs = 1'700'000'000'000;  // all times that a scenario sets start here

struct Failure : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Header {
    std::string name, value;
};

struct Record {
    int partition = 0;
    std::optional<std::string> key, value;
    std::vector<Header> headers;
    int64_t time = kEpochMs;
};

struct Place {
    std::string error = "OK";
    int partition = -1;
    int64_t offset = -1;
};

struct Context {
    std::string bootstrap, prefix;
    rd_kafka_t* admin = nullptr;

    std::string topic(const std::string& name) const { return prefix + "-" + name; }
};

using Client = std::unique_ptr<rd_kafka_t, void (*)(rd_kafka_t*)>;

rd_kafka_conf_t* conf_of(const Context& context, const Settings& settings);
Client make_client(rd_kafka_type_t type, rd_kafka_conf_t* conf);
Settings quick(const std::string& group);

void expect(bool condition, const std::string& text);
void wait_until(const std::function<bool()>& condition, const std::string& what, int seconds = 40);

// Apache Kafka tells of a change a moment after it agreed to it: pauses before looking at the
// outcome.
void settle();

// Null and empty keys and values, repeated header names: the same rows as in scenario.py.
Record sample(int index);
std::string payload(int index);
std::vector<Record> simple(const std::vector<std::string>& values, int partition = 0);
std::string line(const rd_kafka_message_t* message);

std::vector<Place> produce(const Context& context, const std::string& topic,
                           const std::vector<Record>& rows, const Settings& settings = {});

struct Message {
    std::string line, value;
    int64_t offset, time;
};
std::vector<Message> read(const Context& context, const std::string& topic, int partition,
                          size_t count, int64_t offset = RD_KAFKA_OFFSET_BEGINNING);

struct NewTopic {
    std::string name;
    int partitions = 1, replicas = 1;
    Settings settings;
};
std::string create(const Context& context, const NewTopic& topic);
std::string create_or_throw(const Context& context, const std::string& name, int partitions = 1);

// Sends an admin request and gives its answer; the caller destroys the event.
using Event = std::unique_ptr<rd_kafka_event_t, void (*)(rd_kafka_event_t*)>;
Event ask(const Context& context, const std::function<void(rd_kafka_queue_t*)>& send);

using Feature = std::function<void(const Context&, Facts&)>;
using Features = std::vector<std::pair<std::string, Feature>>;
void add_record_features(Features& features);
void add_group_features(Features& features);
void add_admin_features(Features& features);
void add_transaction_features(Features& features);
void add_security_features(Features& features);

}  // namespace interop
