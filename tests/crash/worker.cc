// SPDX-License-Identifier: Apache-2.0
//
// crash_worker: load for the crash harness that goes on through cuts and restarts of the broker,
// and writes down what it was told. usage: crash_worker load|dump --name value...; see history.py
// for what is made of the log. Layer: tests.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <map>
#include <thread>
#include <vector>

#include "worker_client.h"

namespace leat::crash {
namespace {

using Clock = std::chrono::steady_clock;

/// Of the reader's way to the end, once nothing is sent any more.
constexpr std::chrono::seconds kToEnd{30};
/// So many of an event are good before one who does it stops for good, as a lie.
constexpr std::int64_t kBeforeStop = 20;

std::atomic<bool> stopping{false};
std::atomic<bool> all_sent{false};  ///< And answered.

/// Whether the `nth` event is to be written down wrongly. What --lies can name, divided by commas:
///   unlogged        a send is not written down
///   altered         another value is sent than the one that was written down
///   sent_after_all  what was refused is sent again, and small enough
///   poll_skipped    a record that was read is not written down
///   poll_again      it is written down twice
///   mark_back       an end of a partition is written down as 0
///   commit_back     an offset of the group is written down as 0
/// and those for good, of which nothing is written down or counted from then on:
///   partition_left  what is read of the first partition
///   reader_stops    all that is read
///   marks_stop      ends of partitions
///   commits_stop    commits
///   offsets_stop    offsets of the group
bool lies(const Plan& plan, std::string_view about, std::int64_t nth) {
    return nth % 5 == 4 && plan.lies.find(about) != std::string::npos;
}

bool has_stopped(const Plan& plan, std::string_view about, std::int64_t nth) {
    return nth >= kBeforeStop && plan.lies.find(about) != std::string::npos;
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

/// Reads what is sent along, and once all is sent to its end.
class Reader {
  public:
    Reader(const Plan& plan, History& history, Status& status)
        : plan_(plan),
          history_(history),
          status_(status),
          consumer_(make_consumer(plan, {{"group.id", "history-reader"},
                                         {"enable.auto.commit", "false"},
                                         {"auto.offset.reset", "error"},
                                         {"fetch.wait.max.ms", "50"}})),
          next_(static_cast<std::size_t>(plan.partitions), 0) {}

    void run() {
        const List all(rd_kafka_topic_partition_list_new(plan_.partitions));
        for (int p = 0; p < plan_.partitions; ++p)
            rd_kafka_topic_partition_list_add(all.get(), plan_.topic.c_str(), p)->offset = 0;
        rd_kafka_assign(consumer_.get(), all.get());
        while (!all_sent) poll();
        // Who does not get there in time shows in what is written down.
        for (const auto give_up = Clock::now() + kToEnd; !is_at_end() && Clock::now() < give_up;)
            poll();
        // The last of a partition too would be one that was not given at all: another rule.
        for (const auto& [_, line] : left_out_) history_.line(line);
    }

  private:
    void poll() {
        const Message message(rd_kafka_consumer_poll(consumer_.get(), 50));
        if (!message || message->err != RD_KAFKA_RESP_ERR_NO_ERROR) return;
        next_[static_cast<std::size_t>(message->partition)] = message->offset + 1;
        const bool is_left = message->partition == 0 && has_stopped(plan_, "partition_left", nth_);
        if (!is_left && !has_stopped(plan_, "reader_stops", nth_)) note(*message);
        ++nth_;
    }

    void note(const rd_kafka_message_t& message) {
        const std::string line =
            "R " + std::to_string(message.partition) + " " + std::to_string(message.offset) + " " +
            described({static_cast<const char*>(message.payload), message.len});
        left_out_.erase(message.partition);
        if (lies(plan_, "poll_skipped", nth_))
            left_out_[message.partition] = line;
        else
            history_.line(line);
        if (lies(plan_, "poll_again", nth_ + 2)) history_.line(line);
        status_.read.fetch_add(1, std::memory_order_relaxed);
    }

    /// Asks where that is until it is told.
    bool is_at_end() {
        for (int p = static_cast<int>(ends_.size()); p < plan_.partitions; ++p) {
            std::int64_t low = 0;
            std::int64_t high = 0;
            if (rd_kafka_query_watermark_offsets(consumer_.get(), plan_.topic.c_str(), p, &low,
                                                 &high, 5'000) != RD_KAFKA_RESP_ERR_NO_ERROR)
                return false;
            ends_.push_back(high);
        }
        return std::ranges::equal(next_, ends_, std::ranges::greater_equal{});
    }

    const Plan& plan_;
    History& history_;
    Status& status_;
    Kafka consumer_;
    std::vector<std::int64_t> next_;  ///< By partition.
    std::vector<std::int64_t> ends_;  ///< Of the first partitions, as far as they are known.
    std::int64_t nth_ = 0;
    std::map<std::int32_t, std::string> left_out_;  ///< By partition: its last line, as a lie.
};

void mark_along(const Plan& plan, History& history, Status& status) {
    const Kafka asker = make_consumer(plan, {{"group.id", "history-marks"}});
    std::vector<std::int64_t> told(static_cast<std::size_t>(plan.partitions), 0);
    for (std::int64_t nth = 0; !stopping; ++nth) {
        const int partition = static_cast<int>(nth % plan.partitions);
        if (lies(plan, "mark_back", nth)) {
            history.line("M " + std::to_string(partition) + " 0 0");
        } else if (!has_stopped(plan, "marks_stop", nth) &&
                   write_marks(asker.get(), plan, partition, history)) {
            ++told[static_cast<std::size_t>(partition)];
            status.marked.store(std::ranges::min(told), std::memory_order_relaxed);
        }
        // Not for anything to happen: a hundred questions a second are load enough.
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
}

void commit_along(const Plan& plan, History& history, Status& status) {
    const Kafka consumer =
        make_consumer(plan, {{"group.id", plan.group.c_str()}, {"enable.auto.commit", "false"}});
    for (std::int64_t number = 1; !stopping; ++number) {
        const List one(rd_kafka_topic_partition_list_new(1));
        rd_kafka_topic_partition_list_add(one.get(), plan.topic.c_str(), 0)->offset = number;
        if (!has_stopped(plan, "commits_stop", number)) {
            history.line("c " + std::to_string(number));
            if (rd_kafka_commit(consumer.get(), one.get(), 0) == RD_KAFKA_RESP_ERR_NO_ERROR) {
                history.line("C " + std::to_string(number));
                status.committed.fetch_add(1, std::memory_order_relaxed);
            }
        }
        if (lies(plan, "commit_back", number))
            history.line("K 0");
        else if (number % 4 == 0 && !has_stopped(plan, "offsets_stop", number) &&
                 write_group_offset(consumer.get(), plan, 1'000, "K", history) ==
                     RD_KAFKA_RESP_ERR_NO_ERROR)
            status.asked.fetch_add(1, std::memory_order_relaxed);
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

void load(const Plan& plan, History& history) {
    Status& status = map_status<Status>(plan.status);
    std::vector<std::unique_ptr<Producer>> producers;
    Producer refused{plan, history, status, plan.producers, true};
    Reader reader{plan, history, status};
    std::vector<std::jthread> threads;  // They end before what they use.
    threads.emplace_back([&] { reader.run(); });
    threads.emplace_back([&] { mark_along(plan, history, status); });
    threads.emplace_back([&] { commit_along(plan, history, status); });
    std::vector<std::jthread> senders;
    for (int i = 0; i < plan.producers; ++i) {
        producers.push_back(std::make_unique<Producer>(plan, history, status, i));
        senders.emplace_back([&producer = *producers.back()] { producer.run(); });
    }
    if (plan.refused_bytes > 0) senders.emplace_back([&] { refused.run(); });
    senders.clear();  // They end when they are asked to.
    all_sent = true;
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
