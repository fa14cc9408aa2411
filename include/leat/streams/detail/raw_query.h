// SPDX-License-Identifier: Apache-2.0
//
// A query of a store as bytes, and its answers. Layer: streams SDK, not for users.
// Threading: values.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"

namespace leat::streams {

/// How far a state has taken in its input: topic, partition, offset of the last record.
using Position = std::map<std::string, std::map<std::int32_t, std::int64_t>>;

/// Why a partition has no answer; Kafka Streams' FailureReason.
enum class QueryFailure : std::uint8_t {
    kUnknownQueryType,  ///< The store is of another kind.
    kNotActive,         ///< Its task is a standby, or still being restored.
    kNotUpToBound,      ///< It has not taken in what was asked for.
    kNotPresent,        ///< It is not on this instance (any more).
    kDoesNotExist,      ///< The store has no such partition.
    kStoreException,    ///< Reading failed, or there was more than `rows_max`.
};
/// "NOT_UP_TO_BOUND".
[[nodiscard]] std::string name_of(QueryFailure failure);

struct QueryOptions {
    std::set<std::int32_t> partitions{};  ///< Empty: all that are here.
    bool require_active = false;          ///< False: standbys answer too.
    Position at_least{};                  ///< What an answer must have taken in.
    std::size_t rows_max = 100'000;       ///< Of a partition's answer.
    /// For a thread that lets no query in, because it is at one record all the time.
    std::chrono::milliseconds wait_max{60'000};
};

namespace detail {

class StateStore;

struct RawQuery {
    enum class Kind : std::uint8_t {
        kKey,
        kRange,
        kPrefix,
        kCount,
        kWindowsOfKey,
        kWindows,  ///< Of all keys, or of those from `key` to `last`.
        kSession,
        kSessionsOfKey,
        kSessions,  ///< As kWindows.
        kVersion,
        kVersions,
        kOwn,  ///< The user's: `run`.
    };
    Kind kind = Kind::kKey;
    std::optional<std::string> key{};  ///< Of kRange: the first one, if there is a bound.
    std::optional<std::string> last{};
    /// Of kVersion: as of; absent: the latest. Of sessions: those that end at the earliest then; of
    /// kSession its start.
    std::optional<std::int64_t> from_ms{};
    std::optional<std::int64_t> to_ms{};  ///< Of sessions: those that start at the latest then.
    bool backwards = false;
    bool skips_cache = false;  ///< Of kKey.
    /// What it found; nothing: it is not for such a store.
    using Ran = std::optional<Result<std::shared_ptr<void>>>;
    std::function<Ran(StateStore& store)> run{};
};

struct RawRow {
    std::string key{};
    std::int64_t start = -1;  ///< Of a window, session or version.
    std::optional<std::int64_t> end{};
    std::int64_t timestamp = -1;
    std::string value{};
};

struct RawAnswer {
    std::int32_t partition = 0;
    std::optional<QueryFailure> failure{};
    std::string reason{};
    Position position{};
    std::string owner{};  ///< As PartitionAnswer's.
    std::vector<std::string> standbys{};
    std::vector<RawRow> rows{};
    std::uint64_t count = 0;      ///< Of kCount.
    std::shared_ptr<void> own{};  ///< Of kOwn: what was found.
};

}  // namespace detail

}  // namespace leat::streams
