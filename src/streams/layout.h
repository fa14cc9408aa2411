// SPDX-License-Identifier: Apache-2.0
//
// What a topology is on a cluster: topics by their full names, tasks and their partitions, internal
// topics and how many partitions they have. Layer: streams (L6). Pure.
// Spec:  Kafka Streams' PartitionGrouper and RepartitionTopics: task p of a sub-topology has
//        partition p of each of its source topics; a repartition topic has as many partitions as
//        the widest source of whoever writes to it.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "client/consumer.h"
#include "leat/streams/detail/parts.h"
#include "streams/task_id.h"

namespace leat::streams {

struct Subtopology {
    std::vector<std::string> nodes;
    std::vector<std::string> sources;  ///< Topics that it reads, repartition topics included.
    std::vector<std::string> sinks;    ///< Repartition topics that it writes.
    std::vector<detail::StoreSpec> stores;
    [[nodiscard]] bool is_stateful() const;
    /// Some store is to be on disk.
    [[nodiscard]] bool keeps_state_on_disk() const;
};

/// An internal topic as it must be.
struct InternalTopic {
    std::string name;
    std::int32_t partitions = 0;
    std::vector<std::pair<std::string, std::string>> configs;
};

/// Threading: immutable.
class Layout {
  public:
    Layout(const detail::Parts& parts, std::string application_id);

    [[nodiscard]] const std::vector<Subtopology>& subtopologies() const noexcept {
        return subtopologies_;
    }
    /// Source topics that exist without us, sorted.
    [[nodiscard]] std::vector<std::string> external_sources() const;
    /// All topics that are read, sorted.
    [[nodiscard]] std::vector<std::string> sources() const;
    /// The name on the cluster of a topic that a node names.
    [[nodiscard]] std::string cluster_name(std::string_view topic) const;
    [[nodiscard]] bool is_repartition(std::string_view cluster_name) const;
    /// The changelog of a store that is not its source topic.
    [[nodiscard]] std::string changelog_name(std::string_view store) const;

    /// Some store is to be on disk.
    [[nodiscard]] bool keeps_state_on_disk() const;

    /// How reading begins without a committed position. Repartition topics: from their beginning.
    [[nodiscard]] OffsetReset reset_of(std::string_view cluster_name) const;
    /// Errors: kStreamsInvalidTopology: what runs in the test driver only.
    [[nodiscard]] Result<void> check() const;

    using Counts = std::map<std::string, std::int32_t, std::less<>>;
    /// `counts` with those of repartition topics.
    /// Errors: kUnknownTopicOrPartition (a source topic is missing), kStreamsInvalidTopology (a
    /// repartition topic that nobody feeds; topics that are joined and differ).
    [[nodiscard]] Result<Counts> with_repartition(Counts counts) const;
    /// Every task and what it reads. `counts` is complete.
    [[nodiscard]] std::map<TaskId, std::vector<client::TopicPartition>> tasks(
        const Counts& counts) const;
    /// `counts` is complete. `extra_retention_ms`: windowstore.changelog.additional.retention.ms.
    [[nodiscard]] std::vector<InternalTopic> internal_topics(const Counts& counts,
                                                             std::int64_t extra_retention_ms) const;

  private:
    void find_together();
    /// Topics of the sources that a node gets records from.
    [[nodiscard]] std::set<std::string> sources_above(const std::string& node) const;
    /// Whether a topic gets its partitions from those who write it, or are joined with it.
    [[nodiscard]] bool is_free(const std::string& topic) const;
    /// Whether topics that it is joined with say how many it has.
    [[nodiscard]] bool is_bound(const std::string& topic) const;
    /// Gives topics that belong together the same number, as far as numbers are known.
    /// Errors: kStreamsInvalidTopology (they have different ones that are not ours to choose).
    Result<void> align(Counts& counts) const;
    [[nodiscard]] std::int32_t task_count(const Subtopology& of, const Counts& counts) const;

    const detail::Parts& parts_;
    std::string application_id_;
    std::vector<Subtopology> subtopologies_;
    std::set<std::string, std::less<>> repartition_;  ///< Full names.
    std::map<std::string, OffsetReset, std::less<>> resets_;
    std::string global_;   ///< A source that every instance would read whole.
    std::string pattern_;  ///< A source that reads by pattern.
    /// Sources whose partitions belong together, as those of a join: their topics have as many.
    std::vector<std::set<std::string>> together_;
};

}  // namespace leat::streams
