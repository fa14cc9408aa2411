// SPDX-License-Identifier: Apache-2.0
//
// What the admin calls share: outcomes out of answers, partitions by leader and by topic.
// Layer: client (L3). Internal to client.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "client/admin.h"
#include "client/cluster.h"
#include "client/leader_board.h"

namespace leat::client {

[[nodiscard]] inline std::string_view text_or_empty(std::optional<std::string_view> text) {
    return text.value_or(std::string_view{});
}

[[nodiscard]] Outcome outcome_of(std::string_view name, std::int16_t code,
                                 std::optional<std::string_view> message);

/// The broker answered, but not about what was asked.
[[nodiscard]] Error no_result(std::string_view about);

/// The first code for which the whole request is worth repeating, else 0.
template <class Item>
[[nodiscard]] std::int16_t first_retriable(std::span<Item> items) {
    for (const Item& item : items)
        if (Cluster::is_passing(errc_from_wire(item.error_code))) return item.error_code;
    return 0;
}
/// The same of changes that cannot be made twice: a code only when nothing of it was done.
template <class Item>
[[nodiscard]] std::int16_t retriable_as_a_whole(std::span<Item> items) {
    for (const Item& item : items) {
        const Errc code = errc_from_wire(item.error_code);
        // What ran out of time may still be made.
        if (!Cluster::is_passing(code) || code == Errc::kRequestTimedOut) return 0;
    }
    return items.empty() ? std::int16_t{0} : items[0].error_code;
}
template <class Topic>
[[nodiscard]] std::int16_t first_retriable_of_partitions(std::span<Topic> topics) {
    for (const Topic& topic : topics)
        if (const std::int16_t code = first_retriable(topic.partitions); code != 0) return code;
    return 0;
}

/// Broker settings are asked of the broker they belong to, all else of the controller.
[[nodiscard]] Target target_of(const Resource& resource);

/// A topic's partitions as a request wants them; the map keeps the names the request points to.
template <class Partition>
using PartitionsByTopic = std::map<std::string, std::vector<Partition>>;

struct Leader {
    std::int32_t node = -1;
    Errc code = Errc::kNone;
};
using LeaderMap = std::map<TopicPartition, Leader>;

/// Leaders of `where`; one without a leader has the code that says why.
[[nodiscard]] Result<LeaderMap> leaders_of(Admin& admin, std::span<const TopicPartition> where);

/// Asks the leaders for what `out` has, and those that lead by then where one has moved meanwhile:
/// at most five times more, which waits some three seconds between them. `find`: as leaders_of().
/// `ask`: of one leader, the entries at `positions`, which it fills in; codes of moved leaders it
/// leaves there. What has no leader gets its code. Errors: those of `ask` and of the look-up.
using FindLeaders = std::function<Result<LeaderMap>(std::span<const TopicPartition> where)>;
using AskLeader =
    std::function<Result<void>(std::int32_t leader, std::span<const std::size_t> positions)>;
[[nodiscard]] Result<void> ask_leaders(const FindLeaders& find, std::vector<PartitionOffset>& out,
                                       const AskLeader& ask);

/// first_retriable() of what one leader says, without what another one knows better.
template <class Topic>
[[nodiscard]] std::int16_t first_retriable_of_leader(std::span<Topic> topics) {
    for (const Topic& topic : topics)
        for (const auto& one : topic.partitions)
            if (const Errc code = errc_from_wire(one.error_code);
                Cluster::is_passing(code) && !says_leader_is_elsewhere(code))
                return one.error_code;
    return 0;
}

/// Notes an answer in the entry of (`topic`, `partition`); answers to what was not asked are
/// ignored.
void set_result(std::vector<PartitionOffset>& out, std::string_view topic, std::int32_t partition,
                std::int64_t offset, std::int16_t code);

}  // namespace leat::client
