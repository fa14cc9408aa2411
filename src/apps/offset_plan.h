// SPDX-License-Identifier: Apache-2.0
//
// Where a group's committed offsets are to go. Layer: apps (L7).
#pragma once

#include <boost/json/array.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apps/command.h"
#include "apps/output.h"
#include "apps/start_point.h"
#include "base/result.h"
#include "client/admin.h"

namespace leat::apps {

inline constexpr OptionSpec kToOption{
    .names = "--to",
    .value = "PLACE",
    .help =
        "beginning, end, an offset (42), that many before the end (-5), a time "
        "(2026-01-31T12:00:00Z, @1769860800000; without a zone UTC, a date alone its midnight) or "
        "a time ago (-10m). An offset that is not in the log becomes the nearest that is"};
inline constexpr OptionSpec kShiftOption{
    .names = "--shift-by",
    .value = "N",
    .help = "move each committed offset by N records instead; may be negative"};

using Offsets = std::map<client::TopicPartition, std::int64_t>;

struct OffsetRule {
    std::optional<StartPoint> to{};
    std::int64_t shift_by = 0;       ///< Without `to`.
    std::optional<Offsets> given{};  ///< These, instead of both.
};

/// Out of --to and --shift-by. Errors: kUsage.
[[nodiscard]] Result<OffsetRule> offset_rule(const Invocation& line);
/// Lines "topic,partition,offset"; empty ones and those after '#' do not count. Errors: kUsage,
/// naming the line.
[[nodiscard]] Result<Offsets> parse_offsets(std::string_view text);

/// There must be an offset to shift. Errors: kNotFound, naming the partition without.
[[nodiscard]] Result<void> check_committed(std::span<const client::TopicPartition> where,
                                           const Offsets& committed);

/// `target` within the log [`first`, `end`].
struct KeptOffset {
    std::int64_t offset = 0;
    std::string warning;  ///< "" unless it had to be another one.
};
[[nodiscard]] KeptOffset kept_within(const client::TopicPartition& where, std::int64_t target,
                                     std::int64_t first, std::int64_t end);

/// What brokers answered of some partitions, each in the same order.
struct LogPlaces {
    std::vector<client::PartitionOffset> first;
    std::vector<client::PartitionOffset> ends;
    std::vector<client::PartitionOffset> timed;  ///< Empty unless the rule names a time.
};
/// Where `rule` puts each of them, kept within the log, of which it warns on stderr when an offset
/// was asked for; the end for what it says nothing of. A partition of which one answer failed has
/// the code of that answer, and no place.
[[nodiscard]] std::vector<client::PartitionOffset> targets_of(const LogPlaces& found,
                                                              const Offsets& committed,
                                                              const OffsetRule& rule);

/// Asks the brokers, then targets_of(). Errors: of the connection only; each partition has its
/// code.
[[nodiscard]] Result<std::vector<client::PartitionOffset>> target_offsets(
    client::Admin& admin, std::span<const client::TopicPartition> where, const Offsets& committed,
    const OffsetRule& rule);

/// All or the first error. Errors: kNonEmptyGroup, what else the coordinator says.
Result<void> commit_plan(client::Admin& admin, std::string_view group,
                         std::span<const client::PartitionOffset> plan);

inline constexpr Column kMoveColumns[] = {{"topic", "TOPIC"},
                                          {"partition", "PARTITION"},
                                          {"old_offset", "OLD OFFSET"},
                                          {"new_offset", "NEW OFFSET"}};
/// [{"topic", "partition", "old_offset", "new_offset"}].
[[nodiscard]] boost::json::array moves_json(std::span<const client::PartitionOffset> plan,
                                            const Offsets& committed);

}  // namespace leat::apps
