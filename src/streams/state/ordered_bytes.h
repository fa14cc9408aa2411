// SPDX-License-Identifier: Apache-2.0
//
// What keeps a store's rows: bytes under byte keys, in the order of memcmp(). Layer: streams (L6).
// Threading: not synchronised.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "leat/streams/detail/state_store.h"
#include "streams/state/memory_rows.h"
#include "streams/state/rows_visit.h"

namespace leat::streams::detail {

class StoreMeter;

/// Errors of all calls: kIoError.
class OrderedBytes {
  public:
    /// Returns false to stop.
    using Visit = std::function<bool(std::string_view key, std::string_view value)>;

    OrderedBytes() = default;
    OrderedBytes(const OrderedBytes&) = delete;
    OrderedBytes& operator=(const OrderedBytes&) = delete;
    virtual ~OrderedBytes() = default;
    /// Before the first use, and again after what it had was dropped.
    virtual Result<void> open(Task& /*task*/) { return {}; }
    /// The user's store that has the entries; null: there is none.
    [[nodiscard]] virtual const BytesStore* own() const { return nullptr; }
    /// Fills `out` and returns true when there is an entry.
    virtual Result<bool> get(std::string_view key, std::string& out) const = 0;
    virtual Result<void> put(std::string_view key, std::string_view value) = 0;
    virtual Result<void> erase(std::string_view key) = 0;
    /// Entries with from <= key < to, an absent bound is none, as they are when it is called: what
    /// `visit` changes is not seen. Keys and values stay until `visit` returns.
    Result<void> scan(std::string_view from, std::optional<std::string_view> to,
                      Direction direction, const Visit& visit) const {
        const RowRange range{from, to};
        RowsVisit during{place(), direction, range};
        return scan_during(during, range, visit);
    }
    /// Entries of one of the ranges that are visited, in the visit's direction from range to range:
    /// as they were when the visit began.
    virtual Result<void> scan_during(RowsVisit& during, const RowRange& range,
                                     const Visit& visit) const = 0;
    /// For a visit of these entries.
    [[nodiscard]] virtual const void* place() const noexcept { return this; }
    /// Drops from <= key < to. The range must not be used again.
    virtual Result<void> drop(std::string_view from, std::string_view to) = 0;

    /// Of the store whose rows these are; null: its calls are not counted.
    StoreMeter* meter = nullptr;
};

class MemoryBytes final : public OrderedBytes {
  public:
    Result<bool> get(std::string_view key, std::string& out) const override;
    Result<void> put(std::string_view key, std::string_view value) override;
    Result<void> erase(std::string_view key) override;
    Result<void> scan_during(RowsVisit& during, const RowRange& range,
                             const Visit& visit) const override;
    [[nodiscard]] const void* place() const noexcept override { return &rows_; }
    Result<void> drop(std::string_view from, std::string_view to) override;
    void clear() { rows_.clear(); }

  private:
    MemoryRows rows_;
};

struct CacheBudget;
class RowBudget;

/// Where a task's stores keep their rows.
class StateBackend {
  public:
    StateBackend() = default;
    StateBackend(const StateBackend&) = delete;
    StateBackend& operator=(const StateBackend&) = delete;
    virtual ~StateBackend() = default;
    virtual std::unique_ptr<OrderedBytes> rows(const StoreSpec& spec) = 0;
    /// Bytes that stores with caching hold back together; null: every update is written at once.
    std::shared_ptr<CacheBudget> cache_budget{};
    /// What newest rows of stores on disk may take in memory; null: none is kept there.
    std::shared_ptr<RowBudget> row_budget{};
    /// What counts the calls of a store that is made; absent, or null: nothing does.
    std::function<StoreMeter*(const StoreSpec& spec)> meters{};
};

/// Everything in memory, also what the spec calls persistent: for tests.
class MemoryBackend final : public StateBackend {
  public:
    std::unique_ptr<OrderedBytes> rows(const StoreSpec& spec) override;
};

using Stores = std::map<std::string, std::unique_ptr<StateStore>, std::less<>>;

std::unique_ptr<StateStore> make_store(const StoreSpec& spec, StateBackend& backend);

}  // namespace leat::streams::detail
