// SPDX-License-Identifier: Apache-2.0
//
// What a store holds back before it is written, logged and forwarded. Layer: streams (L6).
// Spec:  Kafka Streams' ThreadCache and NamedCache: one budget for all stores, the least recently
// used entry goes first, and one dirty entry that goes takes all dirty ones of its store with it,
// itself first and the others in the order of their last updates.
// Threading: not synchronised.
#pragma once

#include <boost/intrusive/list.hpp>
#include <boost/intrusive/unordered_set.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "leat/streams/detail/state_store.h"
#include "leat/streams/detail/task.h"

namespace leat::streams::detail {

/// Bytes that the caches of several stores may hold together.
/// Threading: not synchronised.
struct CacheBudget {
    std::size_t bytes_max = 0;
    std::size_t bytes = 0;
    /// Of a task that runs: its thread's, in place of bytes_max. Set while nothing is held.
    std::shared_ptr<CacheBudget> shared{};
    [[nodiscard]] bool exceeded() const noexcept {
        return shared ? shared->exceeded() : bytes > bytes_max;
    }
    void take(std::size_t more) noexcept {
        bytes += more;
        if (shared) shared->bytes += more;
    }
    void give_back(std::size_t less) noexcept {
        bytes -= less;
        if (shared) shared->bytes -= less;
    }
};

class RecordCache {
  public:
    /// An update as it was made; its headers and topic are copies.
    struct Update {
        std::string row;
        std::optional<std::string> value;
        std::int64_t timestamp = -1;
        std::optional<Headers> headers{};
        std::string topic{};
        std::int32_t partition = -1;
        std::int64_t offset = -1;
        /// Of the record that made it, as it was read; not counted, as in Kafka Streams.
        bool has_source = false;
        std::optional<std::string> source_key{};
        std::optional<std::string> source_value{};
    };
    /// Writes out one update. It may put into this cache again.
    using Write = std::function<Result<void>(const Update& update)>;

    RecordCache(std::shared_ptr<CacheBudget> budget, Write write);
    RecordCache(const RecordCache&) = delete;
    RecordCache& operator=(const RecordCache&) = delete;
    ~RecordCache();

    /// What is held of a row: null when nothing is; a value that is absent is a deletion.
    [[nodiscard]] const std::optional<std::string>* find(std::string_view row);
    /// Holds an update back, with a copy of the bytes of its origin if it has some. Errors: what
    /// writing out ends with when the budget is exceeded.
    Result<void> put(const RowChange& change, const Origin& origin);
    /// Remembers what the store has, unless a query reads it.
    Result<void> remember(std::string_view row, std::string_view value);
    /// Writes out all updates; what was read stays.
    Result<void> flush();
    [[nodiscard]] bool is_dirty() const noexcept { return !dirty_.empty(); }
    /// Drops everything.
    void clear();
    /// What the store below does not have yet of from <= row < to, by row: updates that are held
    /// back, and those of a flush that come behind the one that is being written.
    void unwritten(std::string_view from, std::optional<std::string_view> to,
                   std::vector<std::pair<std::string, std::optional<std::string>>>& out);

  private:
    using Used = boost::intrusive::list_base_hook<boost::intrusive::tag<struct UsedTag>>;
    using Dirty = boost::intrusive::list_base_hook<boost::intrusive::tag<struct DirtyTag>>;
    using Hashed =
        boost::intrusive::unordered_set_base_hook<boost::intrusive::tag<struct HashedTag>,
                                                  boost::intrusive::store_hash<true>>;
    struct Held : Hashed, Used, Dirty {
        Update update;
        [[nodiscard]] bool is_dirty() const noexcept { return Dirty::is_linked(); }
    };
    template <class Hook>
    using List = boost::intrusive::list<Held, boost::intrusive::base_hook<Hook>>;
    struct RowOf {
        using type = std::string_view;
        std::string_view operator()(const Held& held) const noexcept { return held.update.row; }
    };
    /// In place, so that one that goes is not looked for: with many rows each look is a wait for
    /// memory.
    using Rows =
        boost::intrusive::unordered_set<Held, boost::intrusive::base_hook<Hashed>,
                                        boost::intrusive::key_of_value<RowOf>,
                                        boost::intrusive::hash<std::hash<std::string_view>>,
                                        boost::intrusive::equal<std::equal_to<std::string_view>>,
                                        boost::intrusive::power_2_buckets<true>>;

    /// A flush: its rows are clean before the first is written.
    struct Writing {
        std::span<const Update> updates;
        std::size_t next = 0;  ///< Those before it are in the store.
        /// Of the rest, from the first time that somebody asks for a range.
        std::optional<std::set<std::string_view>> rows{};

        [[nodiscard]] const std::set<std::string_view>& rows_left();
    };
    [[nodiscard]] static std::size_t size_of(const Update& update) noexcept;
    /// Null when nothing is held of it; else it is the most recently used.
    Held* use(std::string_view row);
    /// Of a row that may be new; what it took of the budget is given back.
    Held& touch(std::string_view row);
    void grow();
    void mark(Held& held);
    void unmark(Held& held);
    Result<void> evict();
    Result<void> flush_with(std::optional<Update> first);
    Result<void> write_all(std::span<const Update> updates);
    void drop(Held& held);
    /// What it takes of the budget is still to be given back.
    std::unique_ptr<Held> take(Held& held);

    std::shared_ptr<CacheBudget> budget_;
    Write write_;
    std::vector<Rows::bucket_type> buckets_;
    Rows rows_;          ///< Owns what it has.
    List<Used> used_;    ///< Most recently used first.
    List<Dirty> dirty_;  ///< In the order of the last updates.
    /// The dirty ones by row, from the first time that somebody asks for a range: most never do.
    std::map<std::string_view, const Held*> sorted_;
    bool sorts_ = false;
    std::vector<Writing*> writing_;  ///< Flushes that are under way: writing may come back here.
};

}  // namespace leat::streams::detail
