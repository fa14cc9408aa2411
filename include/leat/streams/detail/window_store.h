// SPDX-License-Identifier: Apache-2.0
//
// Stores of values under (key, start of a window). Layer: streams SDK, not for users.
// Spec:  Kafka Streams' WindowStore and TimestampedWindowStore, persistent and in memory: what they
// keep, drop and in which order they give it back.
// Threading: as state_store.h.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "leat/streams/detail/state_store.h"

namespace leat::streams::detail {

/// Rows in segments of time that are dropped as a whole. Base of window and session stores.
class SegmentedStore : public StateStore {
  public:
    SegmentedStore(StoreSpec spec, std::unique_ptr<OrderedBytes> bytes);
    Result<void> open(Task& task) override;
    Result<void> save() override;
    /// How much time a segment has.
    [[nodiscard]] static std::int64_t width_of(const StoreSpec& spec);
    /// Largest time that was put; -1 before.
    [[nodiscard]] std::int64_t observed() const noexcept { return observed_; }
    /// The oldest time that is read when times up to `newest` were put.
    [[nodiscard]] std::int64_t oldest_after(std::int64_t newest) const noexcept {
        return std::max(observed_, newest) - retention_ms_ + 1;
    }

  protected:
    /// The first time of the oldest segment that is kept when times up to `newest` were put.
    [[nodiscard]] std::int64_t oldest_kept_after(std::int64_t newest) const noexcept {
        return segment_of(std::max(observed_, newest) - retention_ms_) * segment_ms_;
    }
    /// The oldest time that is read.
    [[nodiscard]] std::int64_t oldest() const noexcept { return oldest_after(observed_); }
    /// Moves the store's time. False when rows of `time` are not kept any more; else the row's
    /// segment is there.
    Result<bool> admit(std::int64_t time);
    [[nodiscard]] std::int64_t segment_of(std::int64_t time) const noexcept {
        return time / segment_ms_;
    }
    /// Numbers of the segments that have rows.
    [[nodiscard]] const std::set<std::int64_t>& segments() const noexcept { return segments_; }
    [[nodiscard]] bool alive(std::int64_t segment) const noexcept;
    [[nodiscard]] bool keeps(std::string_view row) const override;
    void observe(std::int64_t time) noexcept { observed_ = std::max(observed_, time); }
    /// False: a row of a changelog that belongs to no segment is left out, and the log says so.
    [[nodiscard]] bool restores(std::int64_t time) const;
    /// Those of from..to, in the direction's order.
    [[nodiscard]] std::vector<std::int64_t> segments_of(std::int64_t from, std::int64_t to,
                                                        Direction direction) const;
    /// A range for each of them, which `make` makes.
    template <class Make>
    std::vector<Range> ranges_of(std::int64_t from, std::int64_t to, Direction direction,
                                 const Make& make) const {
        std::vector<Range> out;
        for (const std::int64_t segment : segments_of(from, to, direction))
            out.push_back(make(segment));
        return out;
    }
    /// A whole segment; of a time-ordered store its values.
    [[nodiscard]] Range range_of(std::int64_t segment) const;

  private:
    Result<void> drop_before(std::int64_t segment);

    std::int64_t retention_ms_;
    std::int64_t segment_ms_;  ///< As Kafka Streams cuts: half the retention, a minute at least.
    std::int64_t observed_ = -1;
    std::int64_t stored_observed_ = -1;
    std::set<std::int64_t> segments_;
};

class RecentRows;
class RowBudget;

class WindowStore final : public SegmentedStore {
  public:
    using Entry = detail::Entry;
    using Visit = std::function<bool(std::int64_t start, const Entry& entry)>;
    using VisitAll =
        std::function<bool(std::string_view key, std::int64_t start, const Entry& entry)>;

    WindowStore(StoreSpec spec, std::unique_ptr<OrderedBytes> bytes);
    ~WindowStore() override;
    /// The newest rows are in memory, as far as the budget goes. With a changelog they are there
    /// alone and come to the database when they leave, unless nobody reads them any more by then.
    /// Precondition: duplicates are retained, nothing is held back.
    void keep_recent(std::shared_ptr<RowBudget> budget);
    Result<void> open(Task& task) override;
    Result<void> restore(std::span<const ChangelogRecord> records) override;
    Result<std::optional<std::int64_t>> note_commit(std::optional<std::int64_t> before,
                                                    std::int64_t next) override;
    void know_changelog(std::int64_t kept_ms) override;
    bool is_overdue() override;
    Result<bool> settle() override;

    Result<bool> get(std::string_view key, std::int64_t start, Entry& out) const;
    /// False: dropped (but logged, as Kafka Streams does), the window is older than the retention
    /// time of what the store has seen. With duplicates: adds; an absent value is logged
    /// only, and moves the time of a store in memory.
    /// `timestamp` as in KeyValueStore::put().
    Result<bool> put(std::string_view key, std::int64_t start,
                     std::optional<std::string_view> value, std::int64_t timestamp,
                     const Headers* headers = nullptr);
    /// The oldest start that is found when windows up to `newest` were put: on disk, in time
    /// order, Kafka Streams looks a millisecond further back than in other stores.
    [[nodiscard]] std::int64_t oldest_found_after(std::int64_t newest) const noexcept {
        return oldest_after(newest) - (spec().time_ordered && spec().persistent ? 1 : 0);
    }
    /// Windows of a key with from <= start <= to, oldest first unless backwards; duplicates in the
    /// order of their puts.
    Result<void> fetch(std::string_view key, std::int64_t from, std::int64_t to, const Visit& visit,
                       Direction direction = Direction::kForward) const;
    /// Windows of all keys with from <= start <= to. In memory and time-ordered: by start, then
    /// key; else by segment, key, start.
    Result<void> fetch_all(std::int64_t from, std::int64_t to, const VisitAll& visit,
                           Direction direction = Direction::kForward) const;

  private:
    Result<void> put_row(std::string_view row, std::optional<std::string_view> value) override;
    std::string_view changelog_key(std::string_view row, std::string& scratch) const override;
    std::string_view changelog_value(std::string_view value) const override;
    void describe(std::string_view row, Flushed& out) const override;
    void read_entry(std::string_view value, Entry& out) const override { decode(value, out); }
    /// The row of the value.
    [[nodiscard]] std::string row(std::string_view key, std::int64_t start,
                                  std::uint32_t seq) const;
    /// Where one key's rows are in one segment.
    [[nodiscard]] Range range_of_key(std::int64_t segment, std::string_view key, std::int64_t from,
                                     std::int64_t to) const;
    /// What leads to a key's rows that the cache holds back: only a row that is written has that.
    [[nodiscard]] HeldRows held_index(std::int64_t segment, std::string_view key, std::int64_t from,
                                      std::int64_t to) const;
    /// Rows of a key that are not in memory.
    Result<void> fetch_rows(std::string_view key, std::int64_t from, std::int64_t to,
                            const Visit& visit, Direction direction) const;
    /// Of a segment, those that are in memory alone; in the order of the database.
    [[nodiscard]] HeldRows held_rows(std::int64_t segment, std::int64_t from,
                                     std::int64_t to) const;
    /// A record of the changelog that no row of the database goes with.
    Result<void> log_row(std::string_view key, std::int64_t start,
                         std::optional<std::string_view> value, std::int64_t timestamp);
    void decode(std::string_view value, Entry& out) const;
    void look_at_clock();

    bool timestamped_;
    std::unique_ptr<RecentRows> recent_;
    bool recent_alone_ = false;  ///< What is there is in the database only when it has left.
    std::int64_t changelog_ms_ = std::numeric_limits<std::int64_t>::max();  ///< It is kept so long.
    std::int64_t looked_at_ = 0;  ///< The wall clock's time when that was last looked at.
    /// Of records that are older the changelog may be gone before a killed process reads it.
    std::int64_t relied_on_from_ = std::numeric_limits<std::int64_t>::min();
    std::string logged_key_;
    std::uint32_t seq_ = 0;  ///< Of the last put when duplicates are retained.
};

}  // namespace leat::streams::detail
