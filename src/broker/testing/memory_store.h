// SPDX-License-Identifier: Apache-2.0
//
// Metadata without a database. Layer: test-only.
#pragma once

#include <span>
#include <string>
#include <variant>

#include "metadata/store.h"

namespace leat::broker::testing {

/// Metadata that outlives the broker, without a database: topics, and how often the node started.
class MemoryStore final : public metadata::MetadataStore {
  public:
    metadata::State state;

    Result<metadata::State> load() override { return state; }
    Result<void> commit(std::span<const metadata::Delta> deltas) override {
        for (const metadata::Delta& delta : deltas) {
            if (const auto* created = std::get_if<metadata::TopicCreated>(&delta)) {
                const metadata::Topic& topic = *created->topic;
                state.topics.push_back({.id = topic.id,
                                        .name = topic.name,
                                        .partition_count = topic.partition_count,
                                        .created_epoch = topic.created_epoch,
                                        .overrides = topic.overrides});
            } else if (const auto* deleted = std::get_if<metadata::TopicDeleted>(&delta)) {
                forget(deleted->topic->name);
            } else if (const auto* bumped = std::get_if<metadata::LeaderEpochsBumped>(&delta)) {
                state.unclean_starts = bumped->unclean_starts;
            }
        }
        return {};
    }
    void forget(const std::string& name) {
        std::erase_if(state.topics, [&name](const auto& topic) { return topic.name == name; });
    }
};

}  // namespace leat::broker::testing
