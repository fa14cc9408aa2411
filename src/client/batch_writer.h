// SPDX-License-Identifier: Apache-2.0
//
// RecordWriter of our own: records are encoded into batches as they are sent, whole batches go out.
// Layer: client (L3). Internal to client.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "client/record_writer.h"
#include "client/transaction_calls.h"
#include "client/write_board.h"
#include "rt/descriptor.h"
#include "rt/named_thread.h"

namespace leat::client {

/// Threading: as RecordWriter. One thread looks up leaders, one for each of these sends.
/// Memory:    records as they are on the wire, and a tag for each row of them that has the same;
///            8 MiB of buffers are kept for what comes next.
class BatchWriter final : public RecordWriter {
  public:
    /// Errors: kIoError (no descriptor is left).
    static Result<std::unique_ptr<RecordWriter>> open(WriteSettings settings,
                                                      OnDelivery on_delivery, Reports reports);
    BatchWriter(WriteSettings settings, OnDelivery on_delivery, Reports reports,
                rt::Descriptor stop);
    BatchWriter(const BatchWriter&) = delete;
    BatchWriter& operator=(const BatchWriter&) = delete;
    /// Waits for the threads, which end at once unless the name of a host is being looked up.
    ~BatchWriter() override;

    Result<bool> send(std::string_view topic, const OutgoingRecord& record) override;
    Result<std::int32_t> partition_count(std::string_view topic,
                                         std::chrono::milliseconds wait) override;
    void poll(std::chrono::milliseconds wait) override;
    [[nodiscard]] std::size_t in_flight() const override;
    Result<void> flush(std::chrono::milliseconds wait) override;

    Result<void> init_transactions(std::chrono::milliseconds wait) override;
    Result<void> begin() override;
    [[nodiscard]] bool resumes_offsets() const override { return true; }
    Result<void> send_offsets(const GroupIdentity& as, std::span<const CommittedOffset> offsets,
                              std::chrono::milliseconds wait) override;
    Result<void> commit(std::chrono::milliseconds wait) override;
    Result<void> abort(std::chrono::milliseconds wait) override;
    [[nodiscard]] bool must_abort() const override;
    [[nodiscard]] bool is_fatal() const override;

  private:
    /// A record that waits until it is known which partitions its topic has.
    struct Kept {
        std::optional<std::string> key;
        std::optional<std::string> value;
        std::vector<Header> headers;
        std::int32_t partition = -1;
        std::int64_t timestamp_ms = 0;
        std::uint64_t tag = 0;
        Steady since{};

        /// With views into it.
        [[nodiscard]] OutgoingRecord view() const {
            return {.key = key,
                    .value = value,
                    .headers = headers.empty() ? nullptr : &headers,
                    .partition = partition,
                    .timestamp_ms = timestamp_ms,
                    .tag = tag};
        }
    };
    struct Topic {
        WriteTopic* on_board = nullptr;
        std::vector<WriteLane*> lanes;
        std::int32_t sticky = -1;  ///< Where records that may go anywhere go at present.
        bool has_stuck = false;    ///< Something went there.
        bool was_awaited = false;
        std::uint64_t losses = 0;  ///< That were seen.
        std::deque<Kept> kept;
    };
    using Topics = std::map<std::string, Topic, std::less<>>;

    void run();
    Topics::value_type& topic_of(std::string_view name);
    [[nodiscard]] bool has_room() const;
    std::int32_t any_of(std::int32_t partitions);
    std::int32_t choose(Topic& topic, const OutgoingRecord& record, std::int32_t partitions,
                        bool& is_anywhere);
    void put(Topics::value_type& topic, std::int32_t partition, const OutgoingRecord& record,
             std::size_t weight, bool is_anywhere);
    void await_partitions(Topic& topic);
    void keep(Topic& topic, const OutgoingRecord& record, std::int64_t timestamp_ms);
    void place_kept();
    void place_kept(Topics::value_type& topic);
    void refuse_kept(Topics::value_type& topic, Errc code);
    /// Breaks the transaction it was for; told by the next report().
    void give_up(std::string_view topic, const Kept& one, Errc code, std::string_view why);
    void drop_kept();
    /// Whether there was anything.
    bool report();
    void tell(const WriteOutcome& outcome);
    void wait_for_news(std::uint64_t news, Steady until);
    Result<void> flush_until(Steady until);
    /// What an error of the coordinator means for what follows.
    Error note(Error error);

    WriteSettings settings_;
    const OnDelivery on_delivery_;
    rt::Descriptor stop_;
    WriteBoard board_;
    std::unique_ptr<TransactionCalls> transactions_;
    Topics topics_;
    Topics::value_type* last_topic_ = nullptr;  ///< Mostly it is the next one's too.
    std::minstd_rand random_;
    std::uint64_t handed_records_ = 0;
    std::uint64_t handed_bytes_ = 0;
    std::vector<WriteOutcome> untold_;  ///< Of records that were kept.
    std::size_t kept_ = 0;              ///< Records, of all topics.
    std::uint64_t told_ = 0;            ///< Records.
    std::uint64_t news_ = 0;            ///< Of the board, when it was looked at.
    bool has_declined_ = false;
    std::optional<ProducerIdentity> identity_;  ///< Of the next transaction, or of this one.
    bool is_in_transaction_ = false;
    bool has_offsets_ = false;       ///< The transaction, perhaps.
    bool may_be_committed_ = false;  ///< It was asked for, and not answered.
    rt::NamedThread finder_;
};

}  // namespace leat::client
