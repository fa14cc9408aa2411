// SPDX-License-Identifier: Apache-2.0
//
// What all state stores have in common: rows of bytes, a changelog, a record cache. Layer: streams
// SDK, not for users.
// Spec:  changelogs have the bytes of Kafka Streams' stores; rows are our own.
// Threading: a store belongs to its task.
#pragma once

#include <cstddef>
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
#include "leat/streams/record.h"
#include "leat/streams/store_suppliers.h"

namespace leat::streams::detail {

struct CacheBudget;
class OrderedBytes;
class RecordCache;
struct Origin;
class Task;

/// What makes a store, when a task starts.
struct StoreSpec {
    enum class Kind : std::uint8_t {
        kKeyValue,  ///< Timestamped, as the DSL's tables.
        kWindow,    ///< Timestamped, as the DSL's windowed tables.
        kPlainKeyValue,
        kPlainWindow,
        kSession,
        kVersioned,
        kList,      ///< Several values under a key: what an outer join has not matched.
        kSuppress,  ///< Updates of a table that wait; in memory, and in the changelog.
    };
    std::string name;
    Kind kind = Kind::kKeyValue;
    bool logging = true;
    bool persistent = true;
    std::int64_t retention_ms = -1;  ///< Of windows and sessions; of versions the history.
    std::int64_t window_ms = 0;      ///< Size of its windows.
    std::optional<std::string> source_topic{};  ///< A table's source that serves as its changelog.
    bool retain_duplicates = false;             ///< Of a plain window store: a put never replaces.
    bool time_ordered = false;     ///< Windows and sessions can be read by time alone, quickly.
    bool caching = false;          ///< Updates are held back until a commit, within a budget.
    std::int64_t segment_ms = -1;  ///< Not given: as Kafka Streams cuts.
    bool by_setting = false;       ///< `persistent` is a matter of the application's settings.
    std::optional<std::size_t> entries_max{};  ///< Of a key-value store: the least used one goes.
    std::map<std::string, std::string> changelog{};  ///< Settings of its topic.
    StoreSupplier own{};                             ///< Given: rows are in a store of the user's.
    friend bool operator==(const StoreSpec&, const StoreSpec&) = default;
};

/// Value with its timestamp; -1 where a store keeps none.
struct Entry {
    std::int64_t timestamp = -1;
    std::string value;
};

enum class Direction : std::uint8_t { kForward, kBackward };

/// A record of the store's changelog, or of the source topic that serves as it.
struct ChangelogRecord {
    std::string_view key{};
    std::optional<std::string_view> value{};
    std::int64_t timestamp = -1;
};

/// An update that a cache held back, as it goes downstream.
struct Flushed {
    std::string_view key{};
    std::int64_t start = -1;  ///< Of a window or session.
    std::int64_t end = -1;
    const Entry* now = nullptr;
    const Entry* before = nullptr;  ///< Only when old values were asked for.
    std::int64_t timestamp = -1;    ///< Of the record that made the update.
    const Headers* headers = nullptr;
};
using OnFlush = std::function<Result<void>(const Flushed& update)>;

/// A change of one row on its way through cache, store and changelog.
struct RowChange {
    std::string_view row{};
    std::optional<std::string_view> value{};  ///< As the row keeps it; absent: deletes.
    std::int64_t timestamp = -1;              ///< Of the changelog record.
    const Headers* headers = nullptr;
    bool after_output = false;  ///< As Outgoing's. Of stores without a cache.
};

class StateStore {
  public:
    StateStore(StoreSpec spec, std::unique_ptr<OrderedBytes> bytes);
    StateStore(const StateStore&) = delete;
    StateStore& operator=(const StateStore&) = delete;
    virtual ~StateStore();

    [[nodiscard]] const std::string& name() const noexcept { return spec_.name; }
    [[nodiscard]] const StoreSpec& spec() const noexcept { return spec_; }
    /// The user's, below the cache; null: it is none of one's own.
    [[nodiscard]] const BytesStore* own_store() const;
    /// Before the first use; again after uncommitted changes were dropped. Errors: kIoError,
    /// kMalformed (what is stored cannot be read).
    virtual Result<void> open(Task& task);
    /// Applies changelog records in order; applying one again changes nothing. Nothing is logged.
    /// Errors: kMalformed, kIoError.
    virtual Result<void> restore(std::span<const ChangelogRecord> records) = 0;
    /// From now on updates are held back, within a budget that several stores share.
    void hold_back(std::shared_ptr<CacheBudget> budget);
    /// True: updates are held back, and `listener` hears of them at a flush instead of the node's
    /// forwarding at once. Called by the node that writes the store, when it opens.
    bool forward_on_flush(OnFlush listener, bool old_values);
    /// Writes out, logs and forwards what the cache holds back. Errors: what these end with.
    virtual Result<void> flush();
    /// Something is held back.
    [[nodiscard]] bool holds_back() const noexcept;
    /// Keeps what the store remembers beside its rows; before each commit. Errors: kIoError.
    virtual Result<void> save() { return {}; }
    /// Behind save(): all that was put is committed, and the changelog, which had come to `before`
    /// at the last commit, goes on at `next`. From where it is to be read when memory is lost.
    /// Puts into its rows what the changelog may not keep much longer. Errors: kIoError.
    virtual Result<std::optional<std::int64_t>> note_commit(std::optional<std::int64_t> /*before*/,
                                                            std::int64_t next) {
        return next;
    }
    /// Its changelog surely keeps a record so long behind its timestamp. Not called: for ever.
    virtual void know_changelog(std::int64_t /*kept_ms*/) {}
    /// Looks at the clock. True: a commit is due for rows in memory and in the changelog alone.
    virtual bool is_overdue() { return false; }
    /// Puts into its rows what is committed and in memory alone; what is not committed is gone.
    /// False: there is nothing, or some of it left memory with what is not committed.
    virtual Result<bool> settle() { return false; }

  protected:
    [[nodiscard]] OrderedBytes& bytes() const noexcept { return *bytes_; }
    [[nodiscard]] Task* task() const noexcept { return task_; }

    Result<bool> read(std::string_view row, std::string& out) const;
    /// read() that leaves the cache as it is, so that nothing is written while a scan goes on. Of
    /// windows and sessions, which Kafka Streams' caches do not remember when they are read.
    Result<bool> peek(std::string_view row, std::string& out) const;
    Result<void> write(const RowChange& change);
    /// Puts the row into the store, without cache and changelog.
    virtual Result<void> put_row(std::string_view row, std::optional<std::string_view> value);
    /// Key and value of a row in the changelog.
    virtual std::string_view changelog_key(std::string_view row, std::string& scratch) const;
    virtual std::string_view changelog_value(std::string_view value) const { return value; }
    /// False: the row's time is over, it is logged but not kept.
    [[nodiscard]] virtual bool keeps(std::string_view /*row*/) const { return true; }
    /// What a flush tells of a row and of its value.
    virtual void describe(std::string_view row, Flushed& out) const { out.key = row; }
    virtual void read_entry(std::string_view value, Entry& out) const {
        out = {-1, std::string{value}};
    }
    using VisitRow = std::function<bool(std::string_view row, std::string_view value)>;
    /// Rows as they are when it is called, whatever `visit` does to them.
    Result<void> scan(std::string_view from, std::optional<std::string_view> to,
                      Direction direction, const VisitRow& visit) const;
    using HeldRows = std::vector<std::pair<std::string, std::optional<std::string>>>;
    /// Of rows from <= row < to, with those that are elsewhere; absent values are deletions.
    struct Range {
        std::string from{};
        std::string to{};
        HeldRows held{};
    };
    /// Of several, in the order of the direction.
    Result<void> scan_ranges(std::vector<Range> all, Direction way, const VisitRow& visit) const;
    /// Updates of from <= row < to that the cache holds back.
    [[nodiscard]] HeldRows held_back(std::string_view from,
                                     std::optional<std::string_view> to) const;
    /// Something of that time is put, by a record that is being processed.
    void note_age(std::int64_t timestamp) const;
    /// Appends a record to the changelog, if there is one.
    Result<void> log(std::string_view key, std::optional<std::string_view> value,
                     std::int64_t timestamp, const Headers* headers = nullptr,
                     bool after_output = false);

  private:
    Result<bool> look_up(std::string_view row, std::string& out, bool& is_held) const;
    Result<void> apply(const RowChange& change);
    Result<void> write_out(const RowChange& change, const Origin& origin);

    StoreSpec spec_;
    std::unique_ptr<OrderedBytes> bytes_;
    std::optional<std::string> changelog_;
    Task* task_ = nullptr;
    std::unique_ptr<RecordCache> cache_;
    OnFlush listener_;
    bool old_values_ = false;
};

}  // namespace leat::streams::detail
