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

/// Whether the `nth` event is to be written down wrongly. What --lies can name, divided by commas:
///   unlogged        a send is not written down
///   altered         another value is sent than the one that was written down
///   sent_after_all  what was refused is sent again, and small enough
///   poll_skipped    a record that was read is not written down
///   poll_again      it is written down twice
///   mark_back       an end of a partition is written down as 0
///   commit_back     an offset of the group is written down as 0
bool lies(const Plan& plan, std::string_view about, std::int64_t nth) {
    return nth % 5 == 4 && plan.lies.find(about) != std::string::npos;
}

/// One producer; numbers its records from 0, spread over the partitions in turn.
struct Producer {
    const Plan& plan;
    History& history;
    Status& status;
    int id;
    bool is_refused = false;  ///< The topic is too small for its records; they count nowhere.
    std::int64_t in_flight =
        0;  ///< Touched by this producer's thread only (callbacks run in poll).

    static void delivered(rd_kafka_t* /*handle*/, const rd_kafka_message_t* message, void* opaque) {
        auto& self = *static_cast<Producer*>(opaque);
        const auto number = reinterpret_cast<std::intptr_t>(message->_private);
        self.count(-1);
        const std::string who = std::to_string(self.id) + " " + std::to_string(number);
        if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            const bool never =
                rd_kafka_message_status(message) == RD_KAFKA_MSG_STATUS_NOT_PERSISTED;
            self.history.line("F " + who + (never ? " never " : " perhaps ") +
                              rd_kafka_err2name(message->err));
            if (never && lies(self.plan, "sent_after_all", number))
                self.send(message->rkt, number, self.plan.value_bytes);
            return;
        }
        self.history.line("A " + who + " " + std::to_string(message->partition) + " " +
                          std::to_string(message->offset));
        if (!self.is_refused) self.status.acknowledged.fetch_add(1, std::memory_order_relaxed);
    }

    void count(int more) {
        in_flight += more;
        if (!is_refused) status.in_flight.fetch_add(more, std::memory_order_relaxed);
    }

    void send(rd_kafka_topic_t* topic, std::int64_t number, int bytes) {
        const auto partition = static_cast<std::int32_t>(number % plan.partitions);
        std::string value = value_of(id, number, bytes);
        if (!lies(plan, "unlogged", number))
            history.line("S " + std::to_string(partition) + " " + described(value));
        if (lies(plan, "altered", number + 2)) value.back() = '!';
        // NOLINTNEXTLINE(performance-no-int-to-ptr): a pointer is all that librdkafka gives back.
        void* const opaque = reinterpret_cast<void*>(number);
        if (rd_kafka_produce(topic, partition, RD_KAFKA_MSG_F_COPY, value.data(), value.size(),
                             nullptr, 0, opaque) != 0)
            die(rd_kafka_err2str(rd_kafka_last_error()));
        count(1);
    }

    void run() {
        const bool is_idempotent = plan.idempotent && !is_refused;
        const Kafka handle =
            make_producer(plan,
                          {{"enable.idempotence", is_idempotent ? "true" : "false"},
                           {"acks", "all"},
                           {"linger.ms", "0"},
                           {"message.timeout.ms", "0"},
                           {"message.send.max.retries", "2147483647"},
                           {"retry.backoff.ms", "20"},
                           {"socket.timeout.ms", "5000"}},
                          delivered, this);
        const Topic topic(rd_kafka_topic_new(handle.get(), plan.topic.c_str(), nullptr));
        const int window = is_refused ? 1 : plan.window;
        const int bytes = is_refused ? plan.refused_bytes : plan.value_bytes;
        for (std::int64_t number = 0; !stopping;) {
            while (in_flight < window && !stopping) send(topic.get(), number++, bytes);
            rd_kafka_poll(handle.get(), 10);
            // Not for anything to happen: ten large ones a second are load enough.
            if (is_refused) std::this_thread::sleep_for(std::chrono::milliseconds(100));
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
    const List all(rd_kafka_topic_partition_list_new(plan.partitions));
    for (int p = 0; p < plan.partitions; ++p)
        rd_kafka_topic_partition_list_add(all.get(), plan.topic.c_str(), p)->offset = 0;
    rd_kafka_assign(consumer.get(), all.get());
    for (std::int64_t nth = 0; !stopping;) {
        const Message message(rd_kafka_consumer_poll(consumer.get(), 50));
        if (!message || message->err != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
        const std::string line =
            "R " + std::to_string(message->partition) + " " + std::to_string(message->offset) +
            " " + described({static_cast<const char*>(message->payload), message->len});
        if (!lies(plan, "poll_skipped", nth)) history.line(line);
        if (lies(plan, "poll_again", nth + 2)) history.line(line);
        ++nth;
        status.read.fetch_add(1, std::memory_order_relaxed);
    }
}

void mark_along(const Plan& plan, History& history) {
    const Kafka asker = make_consumer(plan, {{"group.id", "history-marks"}});
    for (std::int64_t nth = 0; !stopping; ++nth) {
        const int partition = static_cast<int>(nth % plan.partitions);
        if (lies(plan, "mark_back", nth))
            history.line("M " + std::to_string(partition) + " 0 0");
        else
            write_marks(asker.get(), plan, partition, history);
        // Not for anything to happen: a hundred questions a second are load enough.
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
}

void commit_along(const Plan& plan, History& history) {
    const Kafka consumer =
        make_consumer(plan, {{"group.id", plan.group.c_str()}, {"enable.auto.commit", "false"}});
    for (std::int64_t number = 1; !stopping; ++number) {
        const List one(rd_kafka_topic_partition_list_new(1));
        rd_kafka_topic_partition_list_add(one.get(), plan.topic.c_str(), 0)->offset = number;
        history.line("c " + std::to_string(number));
        if (rd_kafka_commit(consumer.get(), one.get(), 0) == RD_KAFKA_RESP_ERR_NO_ERROR)
            history.line("C " + std::to_string(number));
        if (lies(plan, "commit_back", number))
            history.line("K 0");
        else if (number % 4 == 0)
            // Without an answer there is nothing to write down.
            static_cast<void>(write_group_offset(consumer.get(), plan, 1'000, "K", history));
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

void load(const Plan& plan, History& history) {
    Status& status = map_status<Status>(plan.status);
    std::vector<std::unique_ptr<Producer>> producers;
    Producer refused{plan, history, status, plan.producers, true};
    std::vector<std::jthread> threads;  // They end before what they use.
    for (int i = 0; i < plan.producers; ++i) {
        producers.push_back(std::make_unique<Producer>(plan, history, status, i));
        threads.emplace_back([&producer = *producers.back()] { producer.run(); });
    }
    if (plan.refused_bytes > 0) threads.emplace_back([&] { refused.run(); });
    threads.emplace_back([&] { read_along(plan, history, status); });
    threads.emplace_back([&] { mark_along(plan, history); });
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
    if (name == "--refused-bytes") return plan.refused_bytes = number_of(name, value, 1), true;
    if (name == "--lies") return plan.lies = value, true;
    if (name == "--patience") return plan.patience = number_of(name, value, 1), true;
    if (name == "--window") return plan.window = number_of(name, value, 1), true;
    if (name == "--idempotent") return plan.idempotent = flag_of(name, value), true;
    return false;
}

int run(int argc, char** argv) {
    Plan plan;
    if (argc % 2 != 0) die(std::string("no value for ") + argv[argc - 1]);
    for (int i = 2; i + 1 < argc; i += 2)
        if (!set(plan, argv[i], argv[i + 1])) die(std::string("unknown option ") + argv[i]);
    if (argc < 2 || plan.broker.empty() || plan.log.empty())
        die("usage: crash_worker load|dump --broker HOST:PORT --log FILE [--status FILE] "
            "[--topic T] [--partitions N] [--producers N] [--window N] [--value-bytes N] "
            "[--refused-bytes N] [--patience SECONDS] [--idempotent true|false] [--lies L,...]");
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

}  // namespace
}  // namespace leat::crash

int main(int argc, char** argv) {
    return leat::crash::run(argc, argv);
}
