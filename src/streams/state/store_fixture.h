// SPDX-License-Identifier: Apache-2.0
//
// A task that notes what its stores log. For tests of stores only. Layer: streams (L6).
// Threading: not synchronised.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "leat/streams/detail/store.h"
#include "leat/streams/detail/task.h"

namespace leat::streams::detail {

class NotingTask : public Task {
  public:
    struct Logged {
        std::string topic;
        std::string key;
        std::optional<std::string> value;
        std::int64_t timestamp = -1;
        friend bool operator==(const Logged&, const Logged&) = default;
    };

    StateStore& store(std::string_view) override { std::abort(); }
    Result<void> send(const Outgoing&) override { return {}; }
    Result<void> log_change(const Outgoing& record) override {
        Logged logged{std::string{record.topic}, std::string{record.key.value_or("")}, std::nullopt,
                      record.timestamp};
        if (record.value) logged.value.emplace(*record.value);
        changes.push_back(std::move(logged));
        return {};
    }
    [[nodiscard]] std::int64_t stream_time() const override { return -1; }
    [[nodiscard]] std::int64_t wall_time() const override { return wall_ms; }
    [[nodiscard]] const Origin& origin() const override { return now; }
    Origin exchange_origin(const Origin& next) override { return std::exchange(now, next); }
    void drop(const Node&, std::string_view) override {}
    Result<void> survive(const Node&, const Flow&, Error error) override { return error; }
    [[nodiscard]] bool failed() const override { return false; }

    /// What a changelog topic would give back.
    [[nodiscard]] std::vector<ChangelogRecord> changelog() const {
        std::vector<ChangelogRecord> out;
        for (const auto& change : changes) {
            out.push_back({.key = change.key, .timestamp = change.timestamp});
            if (change.value) out.back().value = *change.value;
        }
        return out;
    }

    std::int64_t wall_ms = 0;
    std::vector<Logged> changes;
    Origin now;
};

}  // namespace leat::streams::detail
