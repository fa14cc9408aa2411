// SPDX-License-Identifier: Apache-2.0
//
// Brings the stores of a task up to their changelogs, and keeps them there for a standby.
// Layer: streams (L6).
// Spec:  Kafka Streams' StoreChangelogReader.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "client/partition_reader.h"
#include "leat/streams/detail/store.h"
#include "streams/layout.h"
#include "streams/task_graph.h"

namespace leat::streams {

/// Where one store stands in its changelog.
struct ChangelogMark {
    client::TopicPartition where;
    detail::StateStore* store = nullptr;
    bool is_source = false;  ///< The changelog is an input topic, written by others.
    std::int64_t next = 0;   ///< Next offset of the changelog that the store has not seen.
    std::optional<std::int64_t> end{};  ///< Up to here it is restored; absent: it is followed.
    std::int64_t begin = 0;
    std::int64_t seen_end = 0;  ///< Where the changelog ended when it was last looked at.
    std::int64_t restored = 0;  ///< Records taken in.
    bool done = false;
    /// Offset above the last change that was sent and acknowledged.
    std::int64_t acknowledged = -1;
};

/// Threading: belongs to its task.
class ChangelogReader {
  public:
    /// The offset behind all that is in a partition, records of open transactions included.
    using EndOf = std::function<Result<std::int64_t>(const client::TopicPartition& where)>;

    ChangelogReader(client::PartitionReader& reader, EndOf end_of)
        : reader_(&reader), end_of_(std::move(end_of)) {}

    /// Begins to read; follow until set_ends().
    /// `stores`: specs and where the stores are. `committed`: next offsets of what they hold
    /// already.
    Result<void> open(const std::vector<detail::StoreSpec>& stores, const detail::TaskGraph& graph,
                      const Layout& layout, std::int32_t partition);
    /// From now on it ends where the changelogs end now. For one that is an input topic, at
    /// `source_ends`.
    Result<void> set_ends(const std::map<client::TopicPartition, std::int64_t>& source_ends);
    /// Takes in up to `records_max`; true when all ends are reached.
    Result<bool> restore(std::size_t records_max);
    /// Stops reading.
    void close();

    [[nodiscard]] ChangelogMark* mark_of(std::string_view topic);
    [[nodiscard]] const std::vector<std::unique_ptr<ChangelogMark>>& marks() const noexcept {
        return marks_;
    }
    /// Records that are missing, as far as is known.
    [[nodiscard]] std::int64_t remaining() const;

  private:
    /// Reads a batch; `mark.next` is behind it.
    Result<void> read(ChangelogMark& mark, std::size_t records_max);
    Result<bool> advance(ChangelogMark& mark, std::size_t records_max);

    client::PartitionReader* reader_;
    EndOf end_of_;
    std::vector<client::HeldRecord> batch_;
    std::vector<detail::ChangelogRecord> records_;
    std::vector<std::unique_ptr<ChangelogMark>> marks_;  ///< Addresses are tags of deliveries.
    bool reading_ = false;
};

}  // namespace leat::streams
