// SPDX-License-Identifier: Apache-2.0
//
// Inputs of a task, record by record. Layer: streams (L6), tests only.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "client/partition_reader.h"

namespace leat::streams::testing_lives {

using std::string;

struct In {
    string key;
    string value;
    std::int64_t timestamp = 0;
};

/// The inputs, as far as the test lets records come.
/// Threading: one thread.
class HandReader final : public client::PartitionReader {
  public:
    using PartitionReader::next;
    Result<void> add(std::span<const client::StartAt> starts) override {
        for (const auto& start : starts) lanes_[start.where.topic].next = start.offset.value;
        return {};
    }
    Result<void> remove(std::span<const client::TopicPartition> where) override {
        for (const auto& one : where) lanes_.erase(one.topic);
        return {};
    }
    [[nodiscard]] Lane* lane(const client::TopicPartition& where) const override {
        return &lanes_.at(where.topic);
    }
    Result<client::PartitionEvent> next(Lane& lane) override {
        for (auto& [topic, one] : lanes_)
            if (&one == &lane && !std::exchange(one.knows_end, true))
                return client::PartitionEvent{client::ReachedEnd{{topic, 0}, Offset{one.next}}};
        return client::PartitionEvent{client::Nothing{}};
    }
    bool take(Lane& lane, client::HeldRecord& into) override {
        for (auto& [topic, one] : lanes_) {
            const auto& all = topics.at(topic);
            if (&one != &lane || one.next >= static_cast<std::int64_t>(all.size())) continue;
            one.knows_end = false;
            const In& next = all[static_cast<std::size_t>(one.next)];
            into.record.topic = topic;
            into.record.offset = Offset{one.next++};
            into.record.timestamp = WallMs{next.timestamp};
            into.record.key = next.key;
            into.record.value = next.value;
            return true;
        }
        return false;
    }
    [[nodiscard]] std::size_t waiting(const client::TopicPartition& /*where*/) const override {
        return 0;
    }
    [[nodiscard]] std::int64_t end(const client::TopicPartition& /*where*/) const override {
        return -1;
    }
    Result<void> wait(std::chrono::milliseconds /*wait*/) override { return {}; }
    void wake() override {}

    std::map<string, std::vector<In>> topics;

  private:
    struct Place final : Lane {
        std::int64_t next = 0;
        bool knows_end = false;
    };
    mutable std::map<string, Place> lanes_;
};

}  // namespace leat::streams::testing_lives
