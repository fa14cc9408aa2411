// SPDX-License-Identifier: Apache-2.0
//
// crash_worker: load for the crash harness that goes on through cuts and restarts of the broker,
// and writes down what it was told. usage: crash_worker load|dump --name value...; see history.py
// for what is made of the log. Layer: tests.
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>
#include <vector>

#include "worker_client.h"

namespace leat::crash {
namespace {

std::atomic<bool> stopping{false};

/// One producer; numbers its records from 0, spread over the partitions in turn.
struct Producer {
    const Plan& plan;
    History& history;
    Status& status;
    int id;
    std::int64_t in_flight =
        0;  ///< Touched by this producer's thread only (callbacks run in poll).

    static void delivered(rd_kafka_t* /*handle*/, const rd_kafka_message_t* message, void* opaque) {
        auto& self = *static_cast<Producer*>(opaque);
        const auto number = reinterpret_cast<std::intptr_t>(message->_private);
        --self.in_flight;
        self.status.in_flight.fetch_sub(1, std::memory_order_relaxed);
        const std::string who = std::to_string(self.id) + " " + std::to_string(number);
        if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            self.history.line("F " + who);
            return;
        }
        self.history.line("A " + who + " " + std::to_string(message->partition) + " " +
                          std::to_string(message->offset));
        self.status.acknowledged.fetch_add(1, std::memory_order_relaxed);
    }

    void send(rd_kafka_topic_t* topic, std::int64_t number) {
        std::string value = std::to_string(id) + "-" + std::to_string(number) + "-";
        value.resize(static_cast<std::size_t>(plan.value_bytes), 'x');
        if (rd_kafka_produce(topic, static_cast<std::int32_t>(number % plan.partitions),
                             RD_KAFKA_MSG_F_COPY, value.data(), value.size(), nullptr, 0,
                             reinterpret_cast<void*>(number)) != 0)
            die(rd_kafka_err2str(rd_kafka_last_error()));
        ++in_flight;
        status.in_flight.fetch_add(1, std::memory_order_relaxed);
    }

    void run() {
        const Kafka handle =
            make_producer(plan,
                          {{"enable.idempotence", plan.idempotent ? "true" : "false"},
                           {"acks", "all"},
                           {"linger.ms", "0"},
                           {"message.timeout.ms", "0"},
                           {"message.send.max.retries", "2147483647"},
                           {"retry.backoff.ms", "20"},
                           {"socket.timeout.ms", "5000"}},
                          delivered, this);
        const Topic topic(rd_kafka_topic_new(handle.get(), plan.topic.c_str(), nullptr));
        for (std::int64_t number = 0; !stopping;) {
            while (in_flight < plan.window && !stopping) send(topic.get(), number++);
            rd_kafka_poll(handle.get(), 10);
        }
        if (rd_kafka_flush(handle.get(), 60'000) != RD_KAFKA_RESP_ERR_NO_ERROR)
            die("producer " + std::to_string(id) + ": records without an answer after 60 s");
    }
};

void read_along(const Plan& plan, History& history, Status& status) {
    const Kafka consumer = make_consumer(plan, {{"group.id", "history-reader"},
                                                {"enable.auto.commit", "false"},
                                                {"auto.offset.reset", "error"},
                                                {"fetch.wait.max.ms", "50"}});
    rd_kafka_topic_partition_list_t* all = rd_kafka_topic_partition_list_new(plan.partitions);
    for (int p = 0; p < plan.partitions; ++p)
        rd_kafka_topic_partition_list_add(all, plan.topic.c_str(), p)->offset = 0;
    rd_kafka_assign(consumer.get(), all);
    rd_kafka_topic_partition_list_destroy(all);
    while (!stopping) {
        rd_kafka_message_t* message = rd_kafka_consumer_poll(consumer.get(), 50);
        if (message == nullptr) continue;
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            history.line("R " + std::to_string(message->partition) + " " +
                         std::to_string(message->offset) + " " +
                         std::string(static_cast<const char*>(message->payload), message->len));
            status.read.fetch_add(1, std::memory_order_relaxed);
        }
        rd_kafka_message_destroy(message);
    }
}

void commit_along(const Plan& plan, History& history) {
    const Kafka consumer =
        make_consumer(plan, {{"group.id", plan.group.c_str()}, {"enable.auto.commit", "false"}});
    for (std::int64_t number = 1; !stopping; ++number) {
        rd_kafka_topic_partition_list_t* one = rd_kafka_topic_partition_list_new(1);
        rd_kafka_topic_partition_list_add(one, plan.topic.c_str(), 0)->offset = number;
        history.line("c " + std::to_string(number));
        if (rd_kafka_commit(consumer.get(), one, 0) == RD_KAFKA_RESP_ERR_NO_ERROR)
            history.line("C " + std::to_string(number));
        rd_kafka_topic_partition_list_destroy(one);
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

void load(const Plan& plan, History& history) {
    Status& status = map_status<Status>(plan.status);
    std::vector<std::unique_ptr<Producer>> producers;
    std::vector<std::jthread> threads;
    for (int i = 0; i < plan.producers; ++i) {
        producers.push_back(std::make_unique<Producer>(plan, history, status, i));
        threads.emplace_back([&producer = *producers.back()] { producer.run(); });
    }
    threads.emplace_back([&] { read_along(plan, history, status); });
    threads.emplace_back([&] { commit_along(plan, history); });
}

bool flag_of(std::string_view option, std::string_view value) {
    if (value != "true" && value != "false")
        die(std::string{option} + ": neither true nor false: " + std::string{value});
    return value == "true";
}

bool set(Plan& plan, std::string_view name, const char* value) {
    if (name == "--broker") return plan.broker = value, true;
    if (name == "--topic") return plan.topic = value, true;
    if (name == "--log") return plan.log = value, true;
    if (name == "--status") return plan.status = value, true;
    if (name == "--partitions") return plan.partitions = number_of(name, value, 1), true;
    if (name == "--producers") return plan.producers = number_of(name, value, 1), true;
    if (name == "--value-bytes") return plan.value_bytes = number_of(name, value, 0), true;
    if (name == "--patience") return plan.patience = number_of(name, value, 1), true;
    if (name == "--window") return plan.window = number_of(name, value, 1), true;
    if (name == "--idempotent") return plan.idempotent = flag_of(name, value), true;
    return false;
}

}  // namespace
}  // namespace leat::crash

int main(int argc, char** argv) {
    using namespace leat::crash;
    Plan plan;
    if (argc % 2 != 0) die(std::string("no value for ") + argv[argc - 1]);
    for (int i = 2; i + 1 < argc; i += 2)
        if (!set(plan, argv[i], argv[i + 1])) die(std::string("unknown option ") + argv[i]);
    if (argc < 2 || plan.broker.empty() || plan.log.empty())
        die("usage: crash_worker load|dump --broker HOST:PORT --log FILE [--status FILE] "
            "[--topic T] [--partitions N] [--producers N] [--window N] [--value-bytes N] "
            "[--patience SECONDS] "
            "[--idempotent true|false]");
    struct sigaction stop{};
    stop.sa_handler = [](int) { stopping = true; };
    sigaction(SIGTERM, &stop, nullptr);
    sigaction(SIGINT, &stop, nullptr);
    History history(plan.log);
    const std::string_view mode = argv[1];
    if (mode == "dump") return dump(plan, history), 0;
    if (mode != "load") die("unknown mode " + std::string{mode});
    if (plan.status.empty()) die("--status FILE is missing");
    return load(plan, history), 0;
}
