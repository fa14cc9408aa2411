// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "txn_worker.h"

namespace leat::crash {
namespace {

constexpr int kCallMs = 30'000;
constexpr int kBeginAnew = 75;

Kafka make_transactor(const TxnPlan& plan, const std::string& transactional_id) {
    return make_producer(
        plan.client,
        {{"transactional.id", transactional_id.c_str()},
         {"transaction.timeout.ms", "60000"},
         {"message.timeout.ms", "30000"},
         {"linger.ms", "0"},
         {"retry.backoff.ms", "20"},
         {"socket.timeout.ms", "5000"}},
        [](rd_kafka_t*, const rd_kafka_message_t*, void*) {}, nullptr);
}

/// End offsets, open transactions included.
std::vector<std::int64_t> ends_of(const TxnPlan& plan, const std::string& topic) {
    const Kafka asker = make_consumer(
        plan.client, {{"group.id", "asker"}, {"isolation.level", "read_uncommitted"}});
    std::vector<std::int64_t> ends;
    for (int p = 0; p < plan.client.partitions; ++p) {
        std::int64_t low = 0;
        std::int64_t high = 0;
        const auto error =
            rd_kafka_query_watermark_offsets(asker.get(), topic.c_str(), p, &low, &high, kCallMs);
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
            die("the end of " + topic + " cannot be asked: " + rd_kafka_err2str(error));
        ends.push_back(high);
    }
    return ends;
}

}  // namespace

void begin_anew(const std::string& why) {
    std::fprintf(stderr, "txn_worker: begins anew: %s\n", why.c_str());
    std::fflush(stderr);
    // Without a destructor: a client that ends well would end its transaction too.
    _exit(kBeginAnew);
}

bool put(rd_kafka_t* handle, const std::string& topic, std::int32_t partition,
         const std::string& key, const std::string& value) {
    const Topic to(rd_kafka_topic_new(handle, topic.c_str(), nullptr));
    return rd_kafka_produce(to.get(), partition, RD_KAFKA_MSG_F_COPY,
                            const_cast<char*>(value.data()), value.size(), key.data(), key.size(),
                            nullptr) == 0;
}

Transactor::Transactor(const TxnPlan& plan, History& history, TxnStatus& status, int thread,
                       const char* prefix)
    : history_(history),
      status_(status),
      thread_(thread),
      prefix_(std::to_string(thread) + "." + std::to_string(plan.incarnation) + "."),
      random_(static_cast<std::uint64_t>(plan.incarnation) * 1'000 +
              static_cast<std::uint64_t>(thread)),
      handle_(make_transactor(plan, prefix + std::to_string(thread))) {
    while (!settle([this] { return rd_kafka_init_transactions(handle_.get(), kCallMs); })) {
    }
    history_.line("I " + std::to_string(thread) + " " + std::to_string(plan.incarnation));
}

bool Transactor::settle(const Call& call) {
    for (;;) {
        rd_kafka_error_t* error = call();
        if (error == nullptr) return true;
        const std::string why = rd_kafka_error_string(error);
        const bool again = rd_kafka_error_is_retriable(error) != 0;
        must_abort_ = must_abort_ || rd_kafka_error_txn_requires_abort(error) != 0;
        rd_kafka_error_destroy(error);
        if (again) continue;
        if (must_abort_) return false;
        begin_anew(id_ + ": " + why);
    }
}

void Transactor::begin() {
    id_ = prefix_ + std::to_string(number_++);
    must_abort_ = false;
    history_.line("B " + id_);
    if (!settle([this] { return rd_kafka_begin_transaction(handle_.get()); }))
        begin_anew("no transaction begins");
    status_.open.fetch_add(1);
}

void Transactor::send(const std::string& topic, std::int32_t partition, const std::string& key,
                      const std::string& value) {
    if (must_abort_) return;
    // Whatever is wrong with it, the transaction says what comes of it.
    if (!put(handle_.get(), topic, partition, key, value)) must_abort_ = true;
}

void Transactor::flush() {
    rd_kafka_flush(handle_.get(), kCallMs);
}

void Transactor::send_offsets(const rd_kafka_topic_partition_list_t* offsets,
                              rd_kafka_t* consumer) {
    if (must_abort_) return;
    rd_kafka_consumer_group_metadata_t* group = rd_kafka_consumer_group_metadata(consumer);
    settle([&] {
        return rd_kafka_send_offsets_to_transaction(handle_.get(), offsets, group, kCallMs);
    });
    rd_kafka_consumer_group_metadata_destroy(group);
}

bool Transactor::commit() {
    if (!must_abort_) {
        history_.line("c " + id_);
        if (settle([this] { return rd_kafka_commit_transaction(handle_.get(), kCallMs); })) {
            wait_at(Step::kEnded);
            history_.line("C " + id_);
            status_.open.fetch_sub(1);
            status_.committed.fetch_add(1);
            return true;
        }
    }
    abort();
    return false;
}

void Transactor::abort() {
    history_.line("x " + id_);
    if (!settle([this] {
            must_abort_ = false;  // A client that wants it aborted has it its way.
            return rd_kafka_abort_transaction(handle_.get(), kCallMs);
        }))
        begin_anew(id_ + " cannot be aborted");
    history_.line("X " + id_);
    status_.open.fetch_sub(1);
}

void Transactor::wait_at(Step step) {
    if (thread_ != 0 && step != Step::kIdle) return;
    const auto wish = static_cast<std::int64_t>(step);
    if (status_.hold.load() != wish) return;
    status_.held.fetch_add(1);
    // Another program writes the word, through a mapped file: nothing tells when.
    while (status_.hold.load() == wish && !stopping)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    status_.held.fetch_sub(1);
}

void read_committed(const TxnPlan& plan, const std::string& topic, const OnRecord& on_record) {
    const std::vector<std::int64_t> ends = ends_of(plan, topic);
    const Kafka reader = make_consumer(plan.client, {{"group.id", "whole-reader"},
                                                     {"isolation.level", "read_committed"},
                                                     {"enable.auto.commit", "false"},
                                                     {"check.crcs", "true"},
                                                     {"fetch.wait.max.ms", "20"},
                                                     {"enable.partition.eof", "true"}});
    std::set<std::int32_t> left;
    rd_kafka_topic_partition_list_t* all = rd_kafka_topic_partition_list_new(4);
    for (int p = 0; p < plan.client.partitions; ++p) {
        if (ends[static_cast<std::size_t>(p)] == 0) continue;
        rd_kafka_topic_partition_list_add(all, topic.c_str(), p)->offset = 0;
        left.insert(p);
    }
    rd_kafka_assign(reader.get(), all);
    rd_kafka_topic_partition_list_destroy(all);
    const auto patience = std::chrono::seconds{plan.client.patience};
    auto until = std::chrono::steady_clock::now() + patience;
    while (!left.empty()) {
        if (std::chrono::steady_clock::now() > until)
            die("the end of " + topic + "-" + std::to_string(*left.begin()) +
                " is not reached by one who reads what is committed");
        const Message message(rd_kafka_consumer_poll(reader.get(), 100));
        if (!message) continue;
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            if (message->offset >= ends[static_cast<std::size_t>(message->partition)])
                left.erase(message->partition);
        } else if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            until = std::chrono::steady_clock::now() + patience;
            on_record(*message, {static_cast<const char*>(message->payload), message->len});
        } else {
            std::fprintf(stderr, "txn_worker: %s\n", rd_kafka_message_errstr(message.get()));
        }
    }
}

}  // namespace leat::crash
