// SPDX-License-Identifier: Apache-2.0
//
// The ways into a secured broker, see security.py.
#include <cstdlib>
#include <ctime>
#include <fstream>

#include "support.h"

namespace interop {
namespace {

// librdkafka's properties of a login; "token" is none of them.
Settings login_of(const std::string& way, const std::string& which) {
    const char* folder = std::getenv("LEAT_SECURITY");
    std::ifstream file(std::string(folder ? folder : "") + ".d/" + way + "." + which);
    expect(file.is_open(), "$LEAT_SECURITY names no logins");
    Settings out;
    for (std::string row; std::getline(file, row);) {
        const size_t equals = row.find('=');
        out[row.substr(0, equals)] = row.substr(equals + 1);
    }
    return out;
}

struct Said {
    std::string token;
};

void give_token(rd_kafka_t* handle, const char* /*config*/, void* opaque) {
    char error[256];
    const int64_t until = (std::time(nullptr) + 3600) * 1000;
    rd_kafka_oauthbearer_set_token(handle, static_cast<Said*>(opaque)->token.c_str(), until,
                                   "alice", nullptr, 0, error, sizeof error);
}

Client client_of(const Context& context, rd_kafka_type_t type, Settings settings, Said& said) {
    said.token = settings["token"];
    settings.erase("token");
    rd_kafka_conf_t* conf = conf_of(context, settings);
    rd_kafka_conf_set_opaque(conf, &said);
    if (!said.token.empty()) rd_kafka_conf_set_oauthbearer_token_refresh_cb(conf, give_token);
    return make_client(type, conf);
}

void write(const Context& context, const Settings& settings, const std::string& topic) {
    Said said;
    const Client producer = client_of(context, RD_KAFKA_PRODUCER, settings, said);
    rd_kafka_poll(producer.get(), 100);
    rd_kafka_topic_t* to = rd_kafka_topic_new(producer.get(), topic.c_str(), nullptr);
    for (std::string text : {"a", "b", "c"})
        rd_kafka_produce(to, 0, RD_KAFKA_MSG_F_COPY, text.data(), text.size(), nullptr, 0, nullptr);
    rd_kafka_topic_destroy(to);
    expect(rd_kafka_flush(producer.get(), 40'000) == RD_KAFKA_RESP_ERR_NO_ERROR,
           "not all records were delivered");
}

void read_back(const Context& context, Settings settings, const std::string& topic, Facts& facts) {
    Said said;
    settings["group.id"] = context.topic("secured");
    const Client consumer = client_of(context, RD_KAFKA_CONSUMER, settings, said);
    rd_kafka_poll_set_consumer(consumer.get());
    rd_kafka_topic_partition_list_t* all = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(all, topic.c_str(), 0)->offset = 0;
    rd_kafka_assign(consumer.get(), all);
    rd_kafka_topic_partition_list_destroy(all);
    int count = 0;
    wait_until(
        [&] {
            rd_kafka_message_t* row = rd_kafka_consumer_poll(consumer.get(), 200);
            if (row == nullptr) return false;
            if (row->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
                facts.push_back("read " + std::to_string(row->offset) + ":" +
                                std::string(static_cast<char*>(row->payload), row->len));
                ++count;
            }
            rd_kafka_message_destroy(row);
            return count == 3;
        },
        "the records");
    rd_kafka_consumer_close(consumer.get());
}

void try_way(const Context& context, Facts& facts, const std::string& way) {
    const std::string topic = context.topic(way);
    write(context, login_of(way, "good"), topic);
    read_back(context, login_of(way, "good"), topic, facts);
    Said said;
    const Client stranger = client_of(context, RD_KAFKA_PRODUCER, login_of(way, "wrong"), said);
    const rd_kafka_metadata_t* seen = nullptr;
    const auto error = rd_kafka_metadata(stranger.get(), 0, nullptr, &seen, 4'000);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) rd_kafka_metadata_destroy(seen);
    expect(error != RD_KAFKA_RESP_ERR_NO_ERROR, "the wrong login is let in");
    facts.push_back("the wrong login is refused");
}

}  // namespace

void add_security_features(Features& features) {
    for (const char* way : {"tls", "mtls", "sasl_plain", "sasl_oauthbearer", "sasl_gssapi"})
        features.emplace_back(
            way, [way](const Context& context, Facts& facts) { try_way(context, facts, way); });
}

}  // namespace interop
