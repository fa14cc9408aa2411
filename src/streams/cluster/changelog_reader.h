// SPDX-License-Identifier: Apache-2.0
//
// Brings the stores of a task up to their changelogs, and keeps them there for a standby.
// Layer: streams (L6).
// Spec:  Kafka Streams' StoreChangelogReader.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "client/partition_reader.h"
#include "leat/streams/detail/store.h"
#include "leat/streams/restore_listener.h"
#include "streams/cluster/followed_position.h"
#include "streams/cluster/layout.h"
#include "streams/state/task_state.h"
#include "streams/task_graph.h"

namespace leat::streams {

/// Where one store stands in its changelog.
struct ChangelogMark {
    client::TopicPartition where;
    detail::StateStore* store = nullptr;
    bool is_source = false;  ///< The changelog is an input topic, written by others.
    std::int64_t next = 0;   ///< Next offset of the changelog that the store has not seen.
    std::optional<std::int64_t> end{};  ///< Up to here it is restored; absent: it is followed.
    std::int64_t begin = 0;
    std::int64_t seen_end = 0;  ///< Where the changelog ended when it was last looked at.
    std::int64_t restored = 0;  ///< Records taken in.
    std::int64_t noted = 0;     ///< Up to here the state knows that it has them.
    std::int64_t started = 0;   ///< What `restored` was when the end was set.
    /// Of a source that is followed: up to here it was processed.
    std::optional<std::int64_t> limit{};
    bool done = false;
    bool is_told = false;       ///< As a copy that follows.
    bool is_lost = false;       ///< A step has failed: what it had read is read again.
    bool is_stale = false;      ///< Its rows are of no use, and are there still.
    FollowedPosition position;  ///< Of a follower.
    /// Offset above the last change that was sent and acknowledged.
    std::int64_t acknowledged = -1;
};

/// Threading: belongs to its task.
class ChangelogReader {
  public:
    /// What it asks the cluster, and how it reads: add(), remove() and next() are those of a
    /// client::PartitionReader.
    struct Cluster {
        /// Where partitions begin or end (client::kEarliest, kLatest), records of open transactions
        /// included.
        std::function<Result<std::vector<std::int64_t>>(
            std::span<const client::TopicPartition> where, std::int64_t timestamp)>
            offsets_of;
        /// Empty ones where the broker knows no ids.
        std::function<Result<std::vector<std::string>>(std::span<const std::string> topics)> ids_of;
        /// How long a store's changelog surely keeps a record, by the record's timestamp.
        std::function<Result<std::int64_t>(const std::string& topic,
                                           const detail::StoreSpec& store)>
            kept_ms_of;
        std::function<Result<void>(std::span<const client::StartAt> starts)> add;
        std::function<Result<void>(std::span<const client::TopicPartition> where)> remove;
        std::function<Result<client::PartitionEvent>(const client::TopicPartition& where)> next;
    };

    /// `listener`: may be null.
    ChangelogReader(Cluster cluster, RestoreListener* listener)
        : cluster_(std::move(cluster)), listener_(listener) {}

    /// Begins to read where the state ends; follow until set_ends(). A store that is not out of the
    /// changelog as it is now is emptied and restored whole. What is given must outlive close().
    /// After a close() and before a change was logged it may be opened again.
    struct Task {
        const std::vector<detail::StoreSpec>& stores;
        const detail::TaskGraph& graph;
        detail::TaskState& state;
        detail::Task& task;  ///< For stores that are opened again.
        std::int32_t partition = 0;
    };
    Result<void> open(const Task& of, const Layout& layout);
    /// From now on it ends where the changelogs end now. For one that is an input topic, at
    /// `source_ends`.
    Result<void> set_ends(const std::map<client::TopicPartition, std::int64_t>& source_ends);
    /// Of a follower: source topics have been processed up to here.
    void set_limits(const std::map<client::TopicPartition, std::int64_t>& source_ends);
    /// Of a follower: the group had committed that before changelogs ended there.
    void promise(const Position& committed,
                 const std::map<client::TopicPartition, std::int64_t>& ends);
    /// Changelogs that are followed and are no source topics.
    [[nodiscard]] std::vector<client::TopicPartition> own_topics() const;
    /// What a follower's store has taken in; null: there is no such store.
    [[nodiscard]] const Position* reached(std::string_view store) const;
    /// Source topics that are followed.
    [[nodiscard]] std::vector<client::TopicPartition> sources() const;
    /// Takes in up to `records_max` of each; true when all ends are reached.
    Result<bool> restore(std::size_t records_max);
    /// Stops reading.
    void close();

    [[nodiscard]] ChangelogMark* mark_of(std::string_view topic);
    [[nodiscard]] const std::vector<std::unique_ptr<ChangelogMark>>& marks() const noexcept {
        return marks_;
    }
    /// Records that were taken in; and of these, since the ends were set.
    [[nodiscard]] std::int64_t taken() const;
    [[nodiscard]] std::int64_t restored() const;
    /// Records that are missing, as far as is known.
    [[nodiscard]] std::int64_t remaining() const;

  private:
    Result<void> find_starts();
    /// Stores whose rows are in the changelog alone at first hear how long that keeps them.
    Result<void> tell_stores() const;
    /// It begins behind what the state has.
    Result<void> step_over_gap(ChangelogMark& mark, std::string_view why);
    /// The store's rows are of no use; it goes on at the beginning.
    Result<void> empty(ChangelogMark& mark, std::string_view why);
    /// Of a reader that has lost it: where it was, if the changelog has that, else the beginning.
    Result<void> find_place(ChangelogMark& mark);
    /// The reader forgets what it has fetched.
    Result<void> go_on_at_next(const ChangelogMark& mark);
    /// Reads a batch; `mark.next` is behind it.
    Result<void> read(ChangelogMark& mark, std::size_t records_max);
    /// One step; behind one that failed it goes on where the store's rows end.
    Result<bool> advance(ChangelogMark& mark, std::size_t records_max);
    /// Reads a batch and applies it.
    Result<bool> take_in(ChangelogMark& mark, std::size_t records_max);
    /// The listener hears of it, if there is one. Errors: what it threw.
    Result<void> tell_started(ChangelogMark& mark) const;
    /// `taken`: records that were taken in just now.
    Result<void> tell(const ChangelogMark& mark, std::int64_t taken) const;
    void tell_suspended(ChangelogMark& mark, SuspendReason why) const;

    Cluster cluster_;
    RestoreListener* listener_;
    detail::TaskState* state_ = nullptr;
    detail::Task* task_ = nullptr;
    std::vector<client::HeldRecord> batch_;
    std::vector<detail::ChangelogRecord> records_;
    std::vector<std::unique_ptr<ChangelogMark>> marks_;  ///< Addresses are tags of deliveries.
    bool reading_ = false;
};

}  // namespace leat::streams
