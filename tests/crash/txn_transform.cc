// SPDX-License-Identifier: Apache-2.0
//
// Consume, transform, produce: outputs and the offsets of their inputs in one transaction.
#include <map>
#include <thread>

#include "txn_worker.h"

namespace leat::crash {
namespace {

constexpr int kCallMs = 30'000;
constexpr std::size_t kBatchMax = 20;
constexpr std::int64_t kAheadMax = 500;  ///< Inputs before what the harness says was read of it.

/// What becomes of an input; transactions_history.py knows it too.
std::uint64_t transformed(std::int64_t number) {
    return static_cast<std::uint64_t>(number) * 2'654'435'761U % 4'294'967'296U;
}

class Transformer {
  public:
    Transformer(const TxnPlan& plan, History& history, TxnStatus& status, int thread)
        : plan_(plan),
          transactor_(plan, history, status, thread, "transform-"),
          consumer_(make_consumer(plan.client, {{"group.id", plan.client.group.c_str()},
                                                {"isolation.level", "read_committed"},
                                                {"enable.auto.commit", "false"},
                                                {"auto.offset.reset", "error"},
                                                {"fetch.wait.max.ms", "20"},
                                                {"enable.partition.eof", "true"}})) {
        const List mine(rd_kafka_topic_partition_list_new(2));
        for (int p = thread; p < plan.client.partitions; p += plan.threads)
            rd_kafka_topic_partition_list_add(mine.get(), plan.input.c_str(), p);
        if (rd_kafka_committed(consumer_.get(), mine.get(), kCallMs) != RD_KAFKA_RESP_ERR_NO_ERROR)
            begin_anew("the group's offsets cannot be read");
        for (int i = 0; i < mine->cnt; ++i) {
            if (mine->elems[i].err != RD_KAFKA_RESP_ERR_NO_ERROR)
                begin_anew("the group's offsets cannot be read");
            at_[mine->elems[i].partition] = std::max<std::int64_t>(0, mine->elems[i].offset);
        }
    }

    /// Asked to stop, it goes on to the end of its input.
    void run() {
        go_to_committed();
        while (!(stopping && ended_.size() == at_.size())) {
            transactor_.wait_at(Step::kIdle);
            const std::vector<Message> batch = take();
            if (!batch.empty()) work(batch);
        }
    }

  private:
    void go_to_committed() {
        const List from(rd_kafka_topic_partition_list_new(2));
        for (const auto& [partition, offset] : at_)
            rd_kafka_topic_partition_list_add(from.get(), plan_.input.c_str(), partition)->offset =
                offset;
        ended_.clear();
        rd_kafka_assign(consumer_.get(), from.get());
    }

    [[nodiscard]] std::vector<Message> take() {
        std::vector<Message> out;
        const std::size_t want = 1 + transactor_.random()() % kBatchMax;
        while (out.size() < want) {
            Message message(rd_kafka_consumer_poll(consumer_.get(), out.empty() ? 20 : 5));
            if (!message) break;
            if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) ended_.insert(message->partition);
            if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
            ended_.erase(message->partition);
            out.push_back(std::move(message));
        }
        return out;
    }

    void work(const std::vector<Message>& batch) {
        std::map<std::int32_t, std::int64_t> next = at_;
        transactor_.begin();
        transactor_.wait_at(Step::kBegun);
        for (const Message& message : batch) {
            const std::string input(static_cast<const char*>(message->payload), message->len);
            next[message->partition] = message->offset + 1;
            transactor_.send(plan_.client.topic, message->partition, input,
                             transactor_.id() + " " + std::to_string(message->partition) + " " +
                                 std::to_string(message->offset) + " " + input + " " +
                                 std::to_string(transformed(std::stoll(input))));
        }
        transactor_.flush();
        transactor_.wait_at(Step::kHalf);
        const List offsets(rd_kafka_topic_partition_list_new(2));
        for (const auto& [partition, offset] : next)
            if (offset != at_[partition])
                rd_kafka_topic_partition_list_add(offsets.get(), plan_.input.c_str(), partition)
                    ->offset = offset;
        transactor_.send_offsets(offsets.get(), consumer_.get());
        transactor_.wait_at(Step::kWhole);
        bool is_done = false;
        if (transactor_.random()() % 5 == 0)
            transactor_.abort();
        else
            is_done = transactor_.commit();
        if (is_done)
            at_ = next;
        else
            go_to_committed();
    }

    const TxnPlan& plan_;
    Transactor transactor_;
    Kafka consumer_;
    std::map<std::int32_t, std::int64_t> at_;  ///< Next input, by partition.
    std::set<std::int32_t> ended_;
};

}  // namespace

void transform(const TxnPlan& plan, History& history, TxnStatus& status) {
    std::vector<std::unique_ptr<Transformer>> all;
    all.reserve(static_cast<std::size_t>(plan.threads));
    for (int i = 0; i < plan.threads; ++i)
        all.push_back(std::make_unique<Transformer>(plan, history, status, i));
    std::vector<std::jthread> threads;
    threads.reserve(all.size());
    for (const auto& each : all) threads.emplace_back([&each] { each->run(); });
}

/// Plain numbers, a partition each in turn, not far ahead of what came of them: the harness tells
/// that in `hold`.
void feed(const TxnPlan& plan, History& history, TxnStatus& status) {
    std::pair<History*, std::int64_t> state{&history, 0};
    const Kafka handle = make_producer(
        plan.client,
        {{"enable.idempotence", "true"},
         {"acks", "all"},
         {"linger.ms", "0"},
         {"message.timeout.ms", "0"},
         {"retry.backoff.ms", "20"},
         {"socket.timeout.ms", "5000"}},
        [](rd_kafka_t* /*handle*/, const rd_kafka_message_t* message, void* opaque) {
            auto& [log, in_flight] = *static_cast<std::pair<History*, std::int64_t>*>(opaque);
            --in_flight;
            if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
                log->line("i " + std::to_string(message->partition) + " " +
                          std::to_string(message->offset) + " " +
                          std::string(static_cast<const char*>(message->payload), message->len));
        },
        &state);
    for (std::int64_t number = 0; !stopping;) {
        if (number > status.hold.load() + kAheadMax) {
            rd_kafka_poll(handle.get(), 10);
            continue;
        }
        for (int i = 0; i < 4 && state.second < plan.client.window; ++i, ++number) {
            if (!put(handle.get(), plan.input,
                     static_cast<std::int32_t>(number % plan.client.partitions), "",
                     std::to_string(number)))
                die("feed: a record is not taken");
            ++state.second;
        }
        rd_kafka_poll(handle.get(), 5);
        // The pace of the feed, not a wait: whoever transforms must be able to follow.
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    if (rd_kafka_flush(handle.get(), 60'000) != RD_KAFKA_RESP_ERR_NO_ERROR)
        die("feed: records without an answer after 60 s");
}

}  // namespace leat::crash
