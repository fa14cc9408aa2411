// SPDX-License-Identifier: Apache-2.0
#include "streams/store_query.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <mutex>
#include <ranges>
#include <utility>

#include "streams/state/query_mark.h"

namespace leat::streams {

std::string name_of(QueryFailure failure) {
    switch (failure) {
        case QueryFailure::kUnknownQueryType:
            return "UNKNOWN_QUERY_TYPE";
        case QueryFailure::kNotActive:
            return "NOT_ACTIVE";
        case QueryFailure::kNotUpToBound:
            return "NOT_UP_TO_BOUND";
        case QueryFailure::kNotPresent:
            return "NOT_PRESENT";
        case QueryFailure::kDoesNotExist:
            return "DOES_NOT_EXIST";
        case QueryFailure::kStoreException:
            return "STORE_EXCEPTION";
    }
    return {};
}

namespace detail {
namespace {

using Kind = RawQuery::Kind;
using StoreKind = StoreSpec::Kind;

constexpr std::int64_t kForEver = std::numeric_limits<std::int64_t>::max();

/// Takes rows up to a number of them.
/// Threading: not synchronised.
class Rows {
  public:
    Rows(RawAnswer& out, std::size_t max) : out_(out), max_(max) {}
    bool add(RawRow row) {
        if (out_.rows.size() == max_) {
            is_full_ = true;
            return false;
        }
        out_.rows.push_back(std::move(row));
        return true;
    }
    bool count() {
        ++out_.count;
        return true;
    }
    [[nodiscard]] bool is_full() const noexcept { return is_full_; }

  private:
    RawAnswer& out_;
    std::size_t max_;
    bool is_full_ = false;
};

Direction direction_of(const RawQuery& query) {
    return query.backwards ? Direction::kBackward : Direction::kForward;
}

/// Whether a key is one of those from `key` to `last`.
bool is_within(const RawQuery& query, std::string_view key) {
    return (!query.key || key >= *query.key) && (!query.last || key <= *query.last);
}

Result<void> read_rows(const KeyValueStore& store, const RawQuery& query, Rows& out) {
    const auto row = [&](std::string_view key, const Entry& entry) {
        return out.add(
            {.key = std::string{key}, .timestamp = entry.timestamp, .value = entry.value});
    };
    if (query.kind == Kind::kKey) {
        Entry entry;
        LEAT_TRY(const bool found, query.skips_cache ? store.get_below_cache(*query.key, entry)
                                                     : store.get(*query.key, entry));
        if (found) row(*query.key, entry);
        return {};
    }
    if (query.kind == Kind::kCount)
        return store.all([&](std::string_view, const Entry&) { return out.count(); });
    if (query.kind == Kind::kPrefix) return store.prefix(*query.key, row, direction_of(query));
    std::optional<std::string> end = query.last;
    if (end) end->push_back('\0');  // The next larger key: the upper bound is included.
    return store.range(query.key.value_or(""),
                       end ? std::optional<std::string_view>{*end} : std::nullopt, row,
                       direction_of(query));
}

Result<void> read_windows(const WindowStore& store, const RawQuery& query, Rows& out) {
    const std::int64_t size = store.spec().window_ms;
    const auto row = [&](std::string_view key, std::int64_t start, const Entry& entry) {
        return out.add({.key = std::string{key},
                        .start = start,
                        .end = start > kForEver - size ? kForEver : start + size,
                        .timestamp = entry.timestamp,
                        .value = entry.value});
    };
    const std::int64_t from = query.from_ms.value_or(0);
    const std::int64_t to = query.to_ms.value_or(kForEver);
    if (query.kind == Kind::kWindows)
        return store.fetch_all(
            from, to,
            [&](std::string_view key, std::int64_t start, const Entry& entry) {
                return !is_within(query, key) || row(key, start, entry);
            },
            direction_of(query));
    return store.fetch(
        *query.key, from, to,
        [&](std::int64_t start, const Entry& entry) { return row(*query.key, start, entry); },
        direction_of(query));
}

Result<void> read_sessions(const SessionStore& store, const RawQuery& query, Rows& out) {
    const auto row = [&](std::string_view key, Window session, std::string_view value) {
        return out.add({.key = std::string{key},
                        .start = session.start,
                        .end = session.end,
                        .value = std::string{value}});
    };
    const std::int64_t from = query.from_ms.value_or(0);
    const std::int64_t to = query.to_ms.value_or(kForEver);
    if (query.kind == Kind::kSession) {
        std::string value;
        LEAT_TRY(const bool found, store.get(*query.key, {from, to}, value));
        if (found) row(*query.key, {from, to}, value);
        return {};
    }
    if (query.kind == Kind::kSessions)
        return store.find_ended(
            std::max(from, store.oldest_found()), kForEver,
            [&](std::string_view key, Window session, std::string_view value) {
                return !is_within(query, key) || session.start > to || row(key, session, value);
            },
            direction_of(query));
    return store.find(
        *query.key, from, to,
        [&](Window session, std::string_view value) { return row(*query.key, session, value); },
        direction_of(query));
}

Result<void> read_versions(const VersionedStore& store, const RawQuery& query, Rows& out) {
    const auto row = [&](const VersionedStore::Version& version) {
        RawRow next{.key = *query.key, .start = version.from, .value = version.value};
        next.timestamp = version.from;
        if (version.to != VersionedStore::kNever) next.end = version.to;
        return out.add(std::move(next));
    };
    if (query.kind == Kind::kVersions)
        return store.versions(*query.key, query.from_ms.value_or(0), query.to_ms.value_or(kForEver),
                              row, direction_of(query));
    VersionedStore::Version version;
    LEAT_TRY(const bool found, query.from_ms ? store.get(*query.key, *query.from_ms, version)
                                             : store.get(*query.key, version));
    if (found) row(version);
    return {};
}

/// Nothing: the store does not know this kind of query.
std::optional<Result<void>> read(const StateStore& store, const RawQuery& query, Rows& out) {
    const bool by_key = query.kind == Kind::kKey || query.kind == Kind::kRange ||
                        query.kind == Kind::kPrefix || query.kind == Kind::kCount;
    const bool by_session = query.kind == Kind::kSession || query.kind == Kind::kSessionsOfKey ||
                            query.kind == Kind::kSessions;
    const bool by_window = query.kind == Kind::kWindowsOfKey || query.kind == Kind::kWindows;
    const bool by_version = query.kind == Kind::kVersion || query.kind == Kind::kVersions;
    switch (store.spec().kind) {
        case StoreKind::kKeyValue:
        case StoreKind::kPlainKeyValue:
            if (by_key) return read_rows(static_cast<const KeyValueStore&>(store), query, out);
            break;
        case StoreKind::kWindow:
        case StoreKind::kPlainWindow:
            if (by_window) return read_windows(static_cast<const WindowStore&>(store), query, out);
            break;
        case StoreKind::kSession:
            if (by_session)
                return read_sessions(static_cast<const SessionStore&>(store), query, out);
            break;
        case StoreKind::kVersioned:
            if (by_version)
                return read_versions(static_cast<const VersionedStore&>(store), query, out);
            break;
        case StoreKind::kList:
        case StoreKind::kSuppress:
            break;
    }
    return std::nullopt;
}

void fail(RawAnswer& out, QueryFailure failure, std::string reason) {
    out.failure = failure;
    out.reason = std::move(reason);
    out.rows.clear();
}

void fail_unknown(const StateStore& store, RawAnswer& out) {
    fail(out, QueryFailure::kUnknownQueryType,
         "the store " + store.name() + " does not answer such queries");
}

void answer_own(StateStore& store, const RawQuery& query, RawAnswer& out) {
    auto ran = query.run(store);
    if (!ran) return fail_unknown(store, out);
    if (!*ran) return fail(out, QueryFailure::kStoreException, std::string{ran->error().detail()});
    out.own = **std::move(ran);
}

void answer_of(const TaskView& task, StateStore& store, const RawQuery& query,
               const QueryOptions& options, RawAnswer& out) {
    if (task.position_of) out.position = task.position_of(store.name());
    if (options.require_active && !task.is_serving)
        return fail(out, QueryFailure::kNotActive, "task " + task.id.text() + " is no active one");
    if (!is_up_to(out.position, options.at_least, task.id.partition))
        return fail(out, QueryFailure::kNotUpToBound,
                    "task " + task.id.text() + " has not taken in what was asked for");
    answer(store, query, options.rows_max, out);
}

}  // namespace

void answer(StateStore& store, const RawQuery& query, std::size_t rows_max, RawAnswer& out) {
    const QueryMark is_asked;
    if (query.kind == Kind::kOwn) return answer_own(store, query, out);
    Rows rows{out, rows_max};
    const auto done = read(store, query, rows);
    if (!done) return fail_unknown(store, out);
    if (!*done)
        return fail(out, QueryFailure::kStoreException, std::string{done->error().detail()});
    if (rows.is_full())
        fail(out, QueryFailure::kStoreException,
             std::string{kTooManyRows} + std::to_string(rows_max) + " rows: raise rows_max");
}

bool is_up_to(const Position& position, const Position& bound, std::int32_t partition) {
    return std::ranges::all_of(bound, [&](const auto& topic) {
        const auto asked = topic.second.find(partition);
        if (asked == topic.second.end()) return true;  // Nothing is asked of this partition.
        const auto known = position.find(topic.first);
        if (known == position.end()) return false;
        const auto at = known->second.find(partition);
        return at != known->second.end() && at->second >= asked->second;
    });
}

bool may_be_elsewhere(const RawAnswer& answer) {
    return answer.failure == QueryFailure::kNotPresent ||
           answer.failure == QueryFailure::kNotActive ||
           // A copy may be behind; whoever runs the task is not.
           answer.failure == QueryFailure::kNotUpToBound;
}

void name_owners(const std::vector<KeyQueryMetadata>& places, std::vector<RawAnswer>& answers) {
    for (RawAnswer& one : answers) {
        if (!may_be_elsewhere(one)) continue;
        const auto at = std::ranges::find(places, one.partition, &KeyQueryMetadata::partition);
        if (at == places.end()) continue;
        one.owner = at->active;
        one.standbys = at->standby;
    }
}

void QueryDesk::add(int thread, QueryGate& gate, Tasks tasks) {
    const std::lock_guard lock{mutex_};
    doors_[thread] = {&gate, std::move(tasks)};
}

void QueryDesk::remove(int thread) {
    const std::lock_guard lock{mutex_};
    doors_.erase(thread);
}

namespace {

/// Answers of one store by partition.
/// Threading: not synchronised.
class Gathered {
  public:
    Gathered(std::string_view store, const RawQuery& query, const QueryOptions& options)
        : store_(store), query_(query), options_(options) {}
    void visit(const TaskView& task) {
        if (task.stores == nullptr) return;
        const auto found = task.stores->find(store_);
        if (found == task.stores->end()) return;
        if (!options_.partitions.empty() && !options_.partitions.contains(task.id.partition))
            return;
        RawAnswer next{.partition = task.id.partition};
        answer_of(task, *found->second, query_, options_, next);
        // A task that moves between threads may be seen twice: what answers counts.
        auto& mine = answers_.try_emplace(task.id.partition, std::move(next)).first->second;
        if (mine.failure && !next.failure) mine = std::move(next);
    }
    [[nodiscard]] std::vector<RawAnswer> all() && {
        for (const std::int32_t partition : options_.partitions)
            if (!answers_.contains(partition)) {
                RawAnswer missing{.partition = partition};
                fail(missing, QueryFailure::kNotPresent, "it is not on this instance");
                answers_.emplace(partition, std::move(missing));
            }
        std::vector<RawAnswer> out;
        out.reserve(answers_.size());
        for (auto& [partition, one] : answers_) out.push_back(std::move(one));
        return out;
    }

  private:
    std::string_view store_;
    const RawQuery& query_;
    const QueryOptions& options_;
    std::map<std::int32_t, RawAnswer> answers_;
};

}  // namespace

std::vector<RawAnswer> QueryDesk::ask(std::string_view store, const RawQuery& query,
                                      const QueryOptions& options) const {
    Gathered out{store, query, options};
    const auto visit = [&](const TaskView& task) { out.visit(task); };
    {
        const std::shared_lock lock{mutex_};
        for (const auto& door : std::views::values(doors_))
            door.gate->query([&] { door.tasks(visit); });
    }
    return std::move(out).all();
}

Result<std::vector<RawAnswer>> QueryDesk::ask_within(std::string_view store, const RawQuery& query,
                                                     const QueryOptions& options) const {
    Gathered out{store, query, options};
    const auto visit = [&](const TaskView& task) { out.visit(task); };
    {
        const std::shared_lock lock{mutex_};
        for (const auto& entry : doors_) {
            const auto& door = entry.second;
            if (!door.gate->query_within(options.wait_max, [&] { door.tasks(visit); }))
                return Error{Errc::kTimedOut,
                             "thread " + std::to_string(std::abs(entry.first)) +
                                 " is held up by a record for longer than the query waits"};
        }
    }
    return std::move(out).all();
}

}  // namespace detail
}  // namespace leat::streams
