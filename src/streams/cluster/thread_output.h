// SPDX-License-Identifier: Apache-2.0
//
// What a thread sends: output, changes of stores, dead letters; in transactions under exactly once.
// Layer: streams (L6).
// Spec:  Kafka Streams' RecordCollector and StreamsProducer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "client/record_writer.h"
#include "leat/streams/handlers.h"
#include "rt/clock.h"
#include "streams/cluster/changelog_reader.h"
#include "streams/settings.h"

namespace leat::streams {

/// Threading: belongs to the thread. Deliveries are told inside poll(), flush(), the calls of
///            transactions, and send() while the producer is full.
/// Memory:    what the records in the producer's queue come from, which its settings bound, and the
///            dead letters of those that were refused, until send_letters().
/// Failure:   the first delivery that failed is kept until take_failure(); what a handler goes on
///            without is none.
class ThreadOutput {
  public:
    using OpenWriter = std::function<Result<std::unique_ptr<client::RecordWriter>>(
        const std::vector<client::Property>& properties,
        client::RecordWriter::OnDelivery on_delivery, client::RecordWriter::Reports reports)>;

    struct Environment {
        const Settings* settings = nullptr;
        const ErrorHandlers* handlers = nullptr;
        const rt::Clock* clock = nullptr;
        std::string client_id{};
        std::string transactional_id{};  ///< Used under exactly once.
        /// Marks of changelogs (client::OutgoingRecord::tag) are told what was acknowledged.
        bool has_changelogs = false;
        std::function<void()> on_step{};  ///< A wait gets on.
        std::function<bool()> is_stopping{};
        /// The task whose change of a store is on its way; empty: nobody's any more.
        std::function<std::string(const ChangelogMark& of)> task_of_change{};
        /// A handler goes on without this output.
        std::function<void(const ErrorContext&)> on_dropped{};
        OpenWriter open_writer = client::RecordWriter::open;
    };
    explicit ThreadOutput(Environment environment);
    ThreadOutput(const ThreadOutput&) = delete;
    ThreadOutput& operator=(const ThreadOutput&) = delete;
    ~ThreadOutput();

    /// Makes the producer, anew when there was one: what that had not sent is dropped. Under
    /// exactly once its predecessors are fenced. Errors: what the cluster answers, or kTimedOut.
    Result<void> open();
    /// Drops what is unsent.
    void close();

    /// Begins a transaction where there has to be one; waits while the producer is full.
    Result<void> send(std::string_view topic, const client::OutgoingRecord& record);
    /// Of a topic that is written to; asked for anew when the answer is old.
    Result<std::int32_t> partitions_of(std::string_view topic);
    /// Keeps what a record of output comes from until it is delivered: the record's tag.
    [[nodiscard]] std::uint64_t keep_source(ErrorContext source);
    void poll() { writer_->poll(milliseconds{0}); }
    [[nodiscard]] bool is_delivered() const { return writer_->in_flight() == 0; }
    /// Until all is acknowledged, for task.timeout.ms. Errors: kTimedOut.
    Result<void> flush();
    /// As that, for so long at most. True: nothing is on its way, and nothing failed.
    [[nodiscard]] bool deliver(milliseconds wait);
    /// Dead letters of output that was refused since.
    Result<void> send_letters();
    [[nodiscard]] bool has_letters() const noexcept { return !letters_.empty(); }
    /// Before a thread ends: what would not be sent by who takes over; aborts a transaction.
    Result<void> send_last_words();

    [[nodiscard]] bool has_failed() const noexcept { return failure_.has_value(); }
    [[nodiscard]] std::optional<Error> take_failure() {
        return std::exchange(failure_, std::nullopt);
    }

    // Under exactly once.
    [[nodiscard]] bool in_transaction() const noexcept { return in_transaction_; }
    /// If there is none.
    Result<void> begin();
    /// Of the positions of a group's member.
    Result<void> send_offsets(const client::GroupIdentity& as,
                              const std::vector<client::CommittedOffset>& positions);
    Result<void> commit();
    /// Drops the transaction, with the producer if that is of no more use.
    Result<void> abort();
    /// Only an abort, or another producer, can help.
    [[nodiscard]] bool is_broken() const { return writer_->must_abort() || writer_->is_fatal(); }

  private:
    /// A call that waits, for task.timeout.ms: the thread gets on meanwhile. Precondition: the call
    /// may be repeated after kTimedOut.
    Result<void> in_slices(const std::function<Result<void>(milliseconds wait)>& call);
    Result<void> hand_over(std::string_view topic, const client::OutgoingRecord& record);
    void note_delivery(const client::Delivery& delivery);
    /// Which output was refused, whose, and why.
    [[nodiscard]] Error refusal_of(const client::Delivery& delivery) const;
    /// Output that was refused for what it is, when a handler decides. Nothing: it goes on.
    Result<void> survive_refusal(std::uint64_t tag, Error error);

    struct PartitionCount {
        std::int32_t count = 0;
        Instant asked{};
    };

    Environment environment_;
    const Settings& settings_;
    std::unique_ptr<client::RecordWriter> writer_;
    std::map<std::string, PartitionCount, std::less<>> partition_counts_;
    std::optional<Error> failure_;
    /// By tag, of output on its way; kept only when a handler wants to know.
    std::unordered_map<std::uint64_t, ErrorContext> sources_;
    std::uint64_t last_source_ = 0;
    std::vector<DeadLetter> letters_;  ///< To be sent as soon as the producer may be called.
    bool in_transaction_ = false;
};

}  // namespace leat::streams
