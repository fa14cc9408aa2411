// SPDX-License-Identifier: Apache-2.0
//
// Stores of one or several values under a key. Layer: streams SDK, not for users.
// Spec:  Kafka Streams' KeyValueStore, TimestampedKeyValueStore and the list store of its outer
// joins.
// Threading: as state_store.h.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "leat/streams/detail/state_store.h"

namespace leat::streams::detail {

class UseOrder;

/// Key to value, with a timestamp when the spec's kind is kKeyValue. Changelog values are without
/// the timestamp: it is the record's.
class KeyValueStore final : public StateStore {
  public:
    using Entry = detail::Entry;
    using Visit = std::function<bool(std::string_view key, const Entry& entry)>;

    KeyValueStore(StoreSpec spec, std::unique_ptr<OrderedBytes> bytes);
    ~KeyValueStore() override;
    Result<void> open(Task& task) override;
    Result<void> restore(std::span<const ChangelogRecord> records) override;

    /// False when there is none.
    Result<bool> get(std::string_view key, Entry& out) const;
    /// As get(), without what the cache holds back.
    Result<bool> get_below_cache(std::string_view key, Entry& out) const;
    /// `value` absent: deletes. `timestamp`: the value's; of a deletion, and in a plain store, the
    /// record's that is being processed.
    Result<void> put(std::string_view key, std::optional<std::string_view> value,
                     std::int64_t timestamp, const Headers* headers = nullptr);
    /// As put() unless there is one, which comes into `before`. True: there was.
    Result<bool> put_if_absent(std::string_view key, std::string_view value, std::int64_t timestamp,
                               Entry& before, const Headers* headers = nullptr);
    /// Deletes; what was there comes into `before` unless that is null. True: there was something.
    Result<bool> erase(std::string_view key, std::int64_t timestamp, Entry* before,
                       const Headers* headers = nullptr);
    /// As put() of nothing, of what has just been handed on. Precondition: no cache.
    Result<void> erase_told(std::string_view key, std::int64_t timestamp);
    /// from <= key < to; an absent bound is none, as they are when it is called.
    Result<void> range(std::string_view from, std::optional<std::string_view> to,
                       const Visit& visit, Direction direction = Direction::kForward) const;
    Result<void> prefix(std::string_view prefix, const Visit& visit,
                        Direction direction = Direction::kForward) const;
    Result<void> all(const Visit& visit, Direction direction = Direction::kForward) const {
        return range({}, std::nullopt, visit, direction);
    }

  private:
    Result<void> put_row(std::string_view row, std::optional<std::string_view> value) override;
    std::string_view changelog_value(std::string_view value) const override;
    void read_entry(std::string_view value, Entry& out) const override;
    Result<void> take_in(std::span<const ChangelogRecord> records);
    void decode(std::string& value, Entry& out) const;
    // Without counting the call.
    Result<bool> find(std::string_view key, Entry& out) const;
    Result<void> set(std::string_view key, std::optional<std::string_view> value,
                     std::int64_t timestamp, const Headers* headers);

    bool timestamped_;
    std::unique_ptr<UseOrder> uses_;  ///< Absent: there may be as many as there are.
    bool restores_ = false;
    std::int64_t now_ = -1;  ///< Of the last put.
    std::string scratch_;
};

/// Values under a key, in the order in which they came.
class ListStore final : public StateStore {
  public:
    /// Called for each value; false stops.
    using Visit = std::function<bool(std::string_view key, std::string_view value)>;

    ListStore(StoreSpec spec, std::unique_ptr<OrderedBytes> bytes);
    Result<void> restore(std::span<const ChangelogRecord> records) override;

    Result<void> append(std::string_view key, std::string_view value, std::int64_t timestamp);
    /// All values of the key. Logged even when there are none, as Kafka Streams does.
    Result<void> erase(std::string_view key, std::int64_t timestamp);
    /// As erase(), of what has just been handed on.
    Result<void> erase_told(std::string_view key, std::int64_t timestamp);
    Result<void> range(std::string_view from, std::optional<std::string_view> to,
                       const Visit& visit) const;
    Result<void> all(const Visit& visit) const { return range({}, std::nullopt, visit); }

  private:
    std::string scratch_;
};

}  // namespace leat::streams::detail
