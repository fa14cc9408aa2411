// SPDX-License-Identifier: Apache-2.0
//
// What a writer, the thread that looks for leaders and those that send have in common: which
// batches wait, for whom, and what became of them. Layer: client (L3). Internal to client.
// Spec:  KIP-98 (sequences), KIP-360 (a new epoch after lost ones).
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "client/leader_board.h"
#include "client/write_lane.h"
#include "client/write_settings.h"

namespace leat::client {

/// Threading: thread-safe; what writer_*() calls belongs to the writer's thread.
class WriteBoard final : public LeaderBoard {
  public:
    /// `tells_all`: not only of failures.
    WriteBoard(const WriteSettings& settings, bool tells_all)
        : settings_(settings), tells_all_(tells_all) {}

    /// Good as long as the board.
    WriteTopic& writer_topic(std::string_view name);
    WriteLane& writer_lane(WriteTopic& topic, TopicPartition where);
    /// Sees to it that an answer about the topic comes.
    void writer_ask(WriteTopic& topic);
    struct TopicState {
        std::uint64_t answers;
        std::uint64_t losses;
        Errc loss_code;
        Errc code;
    };
    TopicState writer_state(const WriteTopic& topic) const;
    /// Adds the record to the lane's batch, or to a new one when that is full.
    void writer_put(WriteLane& lane, const OutgoingRecord& record, std::int64_t timestamp_ms,
                    std::size_t weight);
    /// What waits is due. `for_good`: what is put from now on is too, until it is called again.
    void writer_hurry(bool for_good);
    /// The lane's batch is due.
    void writer_hurry(WriteLane& lane);
    /// Counts what happened.
    [[nodiscard]] std::uint64_t writer_news() const noexcept { return news_; }
    /// Until something happened since `news` were counted, or `until`.
    void writer_wait(std::uint64_t news, Steady until);
    /// Gives up what has waited too long. It is the writer's matter, since all others may be at a
    /// connection that does not open, or at a broker that wants to be left alone.
    void writer_expire();
    /// Appends what is to be told.
    void writer_take(std::vector<WriteOutcome>& into);
    /// Of failures that were told; of all records if all are.
    void writer_told(std::uint64_t records, std::uint64_t bytes);
    [[nodiscard]] std::uint64_t done_records() const noexcept { return done_records_; }
    [[nodiscard]] std::uint64_t done_bytes() const noexcept { return done_bytes_; }
    /// Nothing can be written; why.
    [[nodiscard]] bool refuses_all() const noexcept { return refuses_all_; }
    [[nodiscard]] Error refusal() const;
    /// What ended all writing.
    [[nodiscard]] std::optional<Errc> fatal() const;

    /// A transaction that begins: what is put from now on is its.
    void writer_begin(ProducerIdentity as);
    /// Drops what is not with a sender, and nothing is sent any more until the next one begins.
    void writer_drop();
    /// Whether requests are under way.
    [[nodiscard]] bool is_asking() const;
    struct Transaction {
        bool has_sent = false;       ///< Anything that the coordinator may know of.
        bool is_uncertain = false;   ///< What was written of it, or what sequences come next.
        std::optional<Errc> broken;  ///< It can only be aborted.
    };
    [[nodiscard]] Transaction transaction() const;
    void break_transaction(Errc why);

    void stop();
    [[nodiscard]] bool is_stopped() const noexcept override { return stopped_; }
    void fail(const Error& why) override;

    /// Waits until there is something to send to the broker; nullopt when stopped. Without a
    /// connection nothing is handed over that could be given up, or go elsewhere, while one opens.
    std::optional<WritePlan> plan(std::int32_t node, bool is_connected);
    void set_identity(std::optional<ProducerIdentity> as);
    void enrolled(const WritePlan& plan);
    /// Answers by part; nullopt: there is none of it. `named`: brokers whose address was told.
    void settle(WritePlan& plan, std::vector<std::optional<WriteAnswer>> answers,
                const std::map<std::int32_t, Endpoint>& named = {});
    /// The broker could not be asked, or did not answer: leaders are looked for.
    void give_up(WritePlan& plan, std::chrono::milliseconds pause, bool was_sent);
    /// The broker cannot be asked: who leads what it led is looked for.
    void lose_node(std::int32_t node);
    /// Waits; false when stopped.
    bool pause(std::chrono::milliseconds wait);

    std::optional<std::set<std::string>> wanted_topics() override;
    void found(const std::map<std::int32_t, Endpoint>& brokers,
               const std::map<TopicPartition, FoundLeader>& leaders,
               const std::set<std::string>& asked,
               const std::map<std::string, Errc>& refused) override;
    void not_found(std::chrono::milliseconds pause) override;
    [[nodiscard]] std::set<std::int32_t> nodes() const override;
    [[nodiscard]] std::optional<Endpoint> endpoint(std::int32_t node) const override;

  private:
    using Lock = std::unique_lock<std::mutex>;
    using Topics = std::map<std::string, WriteTopic, std::less<>>;
    struct Desk {
        std::condition_variable work;
        std::vector<WriteLane*> lanes;  ///< That the broker leads, or did a moment ago.
        std::size_t turn = 0;           ///< Where the next plan begins.
        Steady wakes = Steady::min();   ///< Its sender, if it sleeps.
    };
    std::unique_ptr<WriteBatch> fresh(Steady now);
    void recycle(std::unique_ptr<WriteBatch> batch);
    void close(WriteLane& lane);
    void tell_sender(const WriteLane& lane, Steady now);
    void tell_writer();
    std::optional<WritePlan> try_plan(std::int32_t node, Desk& desk, bool is_connected, Steady now,
                                      Steady& again);
    bool make_ready(WriteLane& lane, Steady now, Steady& again);
    void add_part(WriteLane& lane, WritePlan& plan);
    void number(WriteLane& lane, WriteBatch& batch);
    void renew(WriteLane& lane);
    void judge(WriteLane& lane, WriteAnswer answer, Steady now);
    void split(WriteLane& lane);
    void put_off(WriteLane& lane, WriteAnswer answer, Steady not_before, Steady now);
    void refuse(WriteLane& lane, WriteAnswer answer);
    void finish(WriteLane& lane, WriteAnswer answer);
    void expire(WriteLane& lane, Steady now, Steady& again);
    void expire_all(Steady now);
    [[nodiscard]] Steady next_end(WriteLane& lane, Steady now) const;
    void drop(WriteLane& lane, Errc code, std::string_view why);
    void refuse_all(WriteLane& lane, Errc code, std::string_view why);
    void drop_all(Errc code, std::string_view why);
    void break_off(Errc why);
    void end_all(const Error& why);
    [[nodiscard]] Steady end_of(const WriteBatch& batch) const;
    void seat_lanes();
    void note_answer(WriteTopic& topic, Errc code, std::int32_t count, Steady now);
    void note_leaders(Topics::value_type& named,
                      const std::map<TopicPartition, FoundLeader>& leaders, Steady now);
    static void apply(WriteLane& lane, const FoundLeader& leader);
    bool follow(WriteLane& lane, NamedLeader leader);
    [[nodiscard]] static bool has_work(const WriteLane& lane);
    [[nodiscard]] bool is_wanted(const WriteTopic& topic) const;

    const WriteSettings& settings_;
    const bool tells_all_;
    mutable std::mutex mutex_;
    std::condition_variable came_;  ///< For the writer.
    std::condition_variable look_;  ///< For who looks for leaders.
    Topics topics_;
    std::map<TopicPartition, std::unique_ptr<WriteLane>> lanes_;
    std::map<std::int32_t, Desk> desks_;
    std::map<std::int32_t, Endpoint> brokers_;
    std::vector<std::unique_ptr<WriteBatch>> free_;
    std::size_t free_bytes_ = 0;
    std::vector<WriteOutcome> outcomes_;
    ProducerIdentity identity_;
    bool is_identity_asked_ = false;
    bool is_hurried_ = false;
    bool nodes_changed_ = false;
    bool is_halted_ = false;  ///< Nothing is sent.
    std::uint64_t transaction_number_ = 0;
    Transaction transaction_;
    int asking_ = 0;  ///< Requests under way.
    Steady look_not_before_{};
    Steady look_at_{};  ///< At the latest.
    std::optional<Error> fatal_;
    /// Nothing is to be given up before, but what a sender has.
    std::atomic<Steady> first_end_ = Steady::max();
    std::atomic<std::uint64_t> news_ = 0;
    std::atomic<std::uint64_t> done_records_ = 0;
    std::atomic<std::uint64_t> done_bytes_ = 0;
    std::atomic<bool> refuses_all_ = false;
    std::atomic<bool> stopped_ = false;
};

}  // namespace leat::client
