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
    /// Patterns of topics that it reads, and how reading begins.
    std::vector<std::pair<std::string, OffsetReset>> patterns{};
    [[nodiscard]] bool is_stateful() const;
    /// Some store is to be on disk.
    [[nodiscard]] bool keeps_state_on_disk() const;
};

/// An internal topic as it must be.
struct InternalTopic {
    std::string name;
    std::int32_t partitions = 0;
    std::vector<std::pair<std::string, std::string>> configs{};
    /// What its store asks for, whatever the application's `topic.` settings say.
    std::vector<std::pair<std::string, std::string>> own_configs{};
};

/// The changelog of a store that writes one. `extra_retention_ms`:
/// windowstore.changelog.additional.retention.ms.
[[nodiscard]] InternalTopic changelog_of(const detail::StoreSpec& store, std::string name,
                                         std::int32_t partitions, std::int64_t extra_retention_ms);

/// Threading: immutable.
class Layout {
  public:
    /// `topics`: what the cluster has, for sources by pattern; without it they read nothing.
    Layout(const detail::Parts& parts, std::string application_id,
           const std::vector<std::string>& topics = {});

    [[nodiscard]] const std::vector<Subtopology>& subtopologies() const noexcept {
        return subtopologies_;
    }
    /// A number out of all that says which tasks there are and what they keep: topics, patterns and
    /// stores of each sub-topology. Functions, serdes and names of operators may differ. Not of
    /// topics that patterns match.
    [[nodiscard]] std::int64_t shape() const;
    /// Source topics that exist without us, sorted.
    [[nodiscard]] std::vector<std::string> external_sources() const;
    /// All topics that are read, sorted.
    [[nodiscard]] std::vector<std::string> sources() const;
    /// Which topics there are decides what is read.
    [[nodiscard]] bool has_patterns() const;
    /// Whether tasks of a sub-topology read the topic, by name or by pattern.
    [[nodiscard]] bool reads(std::int32_t subtopology, const std::string& topic) const;
    /// The name on the cluster of a topic that a node names.
    [[nodiscard]] std::string cluster_name(std::string_view topic) const;
    [[nodiscard]] bool is_repartition(std::string_view cluster_name) const;
    /// The changelog of a store that is not its source topic.
    [[nodiscard]] std::string changelog_name(std::string_view store) const;

    /// Some store is to be on disk, of a task or a global one.
    [[nodiscard]] bool keeps_state_on_disk() const;

    /// How reading begins without a committed position. Repartition topics: from their beginning.
    [[nodiscard]] OffsetReset reset_of(const std::string& cluster_name) const;
    /// Errors: kStreamsInvalidTopology: an internal topic or store has a numbered name.
    [[nodiscard]] Result<void> check_names() const;

    using Counts = std::map<std::string, std::int32_t, std::less<>>;
    /// `counts` with those of repartition topics.
    /// Errors: kUnknownTopicOrPartition (a source topic is missing), kStreamsInvalidTopology (a
    /// repartition topic that nobody feeds; topics that are joined and differ).
    [[nodiscard]] Result<Counts> with_repartition(Counts counts) const;
    /// Every task and what it reads. `counts` is complete.
    [[nodiscard]] std::map<TaskId, std::vector<client::TopicPartition>> tasks(
        const Counts& counts) const;
    /// How many tasks each sub-topology has. `counts` is complete.
    [[nodiscard]] std::vector<std::int32_t> task_counts(const Counts& counts) const;
    /// `counts` is complete. `extra_retention_ms`: as in changelog_of().
    [[nodiscard]] std::vector<InternalTopic> internal_topics(const Counts& counts,
                                                             std::int64_t extra_retention_ms) const;

  private:
    void add_source(Subtopology& to, const detail::Part& source,
                    const std::vector<std::string>& topics);
    void find_together();
    /// Read because a pattern matches it.
    [[nodiscard]] bool is_matched(const std::string& topic) const;
    /// A topic of this application's own, which no pattern is meant to take in.
    [[nodiscard]] bool is_internal(const std::string& topic) const;
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
    std::map<std::string, std::vector<std::string>, std::less<>> matched_;  ///< By source.
    /// Sources whose partitions belong together, as those of a join: their topics have as many.
    std::vector<std::set<std::string>> together_;
};

}  // namespace leat::streams
