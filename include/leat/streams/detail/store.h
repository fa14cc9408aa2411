// SPDX-License-Identifier: Apache-2.0
//
// State stores as the engine sees them: ordered bytes. Layer: streams SDK, not for users.
// Spec:  the byte layouts of Kafka Streams' stores, which its changelogs show.
// Threading: a store belongs to its task.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace leat::streams::detail {

class Task;

class StateStore {
  public:
    explicit StateStore(std::string name) : name_(std::move(name)) {}
    StateStore(const StateStore&) = delete;
    StateStore& operator=(const StateStore&) = delete;
    virtual ~StateStore() = default;
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    virtual Result<void> open(Task& task) = 0;

  private:
    std::string name_;
};

/// Bytes under byte keys, in the order of memcmp(). Errors: kIoError.
class OrderedBytes {
  public:
    /// Returns false to stop.
    using Visit = std::function<bool(std::string_view key, std::string_view value)>;

    OrderedBytes() = default;
    OrderedBytes(const OrderedBytes&) = delete;
    OrderedBytes& operator=(const OrderedBytes&) = delete;
    virtual ~OrderedBytes() = default;
    /// Fills `out` and returns true when there is an entry.
    virtual Result<bool> get(std::string_view key, std::string& out) const = 0;
    virtual Result<void> put(std::string_view key, std::string_view value) = 0;
    virtual Result<void> erase(std::string_view key) = 0;
    /// Entries with from <= key < to; an absent bound is none. The store must not change meanwhile.
    virtual Result<void> scan(std::string_view from, std::optional<std::string_view> to,
                              bool backwards, const Visit& visit) const = 0;
};

class MemoryBytes final : public OrderedBytes {
  public:
    Result<bool> get(std::string_view key, std::string& out) const override;
    Result<void> put(std::string_view key, std::string_view value) override;
    Result<void> erase(std::string_view key) override;
    Result<void> scan(std::string_view from, std::optional<std::string_view> to, bool backwards,
                      const Visit& visit) const override;

  private:
    std::map<std::string, std::string, std::less<>> entries_;
};

/// What makes a store, when a task starts.
struct StoreSpec {
    enum class Kind : std::uint8_t { kKeyValue, kWindow, kSession };
    std::string name;
    Kind kind = Kind::kKeyValue;
    bool logging = true;
    bool persistent = true;
    std::int64_t retention_ms = -1;             ///< Of window and session stores.
    std::int64_t window_ms = 0;                 ///< Size of its windows.
    bool time_ordered = false;                  ///< Windows are also found by time, over all keys.
    std::optional<std::string> source_topic{};  ///< A table's source that serves as its changelog.
};

/// Key to (timestamp, value): the DSL's key-value store. Changelog values are without the
/// timestamp.
class TimestampedStore final : public StateStore {
  public:
    struct Entry {
        std::int64_t timestamp = -1;
        std::string value;
    };
    using Visit = std::function<bool(std::string_view key, const Entry& entry)>;

    TimestampedStore(const StoreSpec& spec, std::unique_ptr<OrderedBytes> bytes);
    Result<void> open(Task& task) override;
    Result<bool> get(std::string_view key, Entry& out) const;
    /// `value` absent: deletes.
    Result<void> put(std::string_view key, std::optional<std::string_view> value,
                     std::int64_t timestamp);
    Result<void> all(const Visit& visit) const;

  private:
    std::unique_ptr<OrderedBytes> bytes_;
    std::optional<std::string> changelog_;
    Task* task_ = nullptr;
    std::string scratch_;
};

/// (key, window start) to (timestamp, value), kept for the retention time.
class WindowStore final : public StateStore {
  public:
    using Entry = TimestampedStore::Entry;
    using Visit = std::function<bool(std::int64_t start, const Entry& entry)>;
    using VisitAll =
        std::function<bool(std::string_view key, std::int64_t start, const Entry& entry)>;

    /// Makes the bytes of one segment of time.
    using MakeSegment = std::function<Result<std::unique_ptr<OrderedBytes>>(std::int64_t segment)>;

    WindowStore(const StoreSpec& spec, MakeSegment make_segment);
    Result<void> open(Task& task) override;
    Result<bool> get(std::string_view key, std::int64_t start, Entry& out) const;
    /// Ignored when the window is older than the retention time of what the store has seen.
    Result<void> put(std::string_view key, std::int64_t start,
                     std::optional<std::string_view> value, std::int64_t timestamp);
    /// Windows of a key with from <= start <= to, oldest first unless `backwards`.
    Result<void> fetch(std::string_view key, std::int64_t from, std::int64_t to, const Visit& visit,
                       bool backwards = false) const;
    /// Windows of all keys with from <= start <= to, by start and then by key. Needs time_ordered.
    Result<void> fetch_all(std::int64_t from, std::int64_t to, const VisitAll& visit) const;
    /// The oldest start that is found when windows up to `newest` were put.
    [[nodiscard]] std::int64_t oldest_after(std::int64_t newest) const noexcept {
        return std::max(observed_, newest) - retention_ms_ + 1;
    }

  private:
    /// The oldest start that is still kept.
    [[nodiscard]] std::int64_t oldest() const noexcept { return oldest_after(observed_); }
    [[nodiscard]] std::string row(std::string_view key, std::int64_t start) const;

    std::int64_t retention_ms_;
    bool time_ordered_;
    std::int64_t segment_ms_;  ///< As Kafka Streams cuts: half the retention, a minute at least.
    MakeSegment make_segment_;
    std::map<std::int64_t, std::unique_ptr<OrderedBytes>> segments_;
    std::optional<std::string> changelog_;
    Task* task_ = nullptr;
    std::int64_t observed_ = -1;  ///< Largest start that was put.
};

}  // namespace leat::streams::detail
