// SPDX-License-Identifier: Apache-2.0
//
// Which task. Layer: streams (L6).
// Spec:  Kafka Streams' TaskId, text "0_3".
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace leat::streams {

/// Threading: a plain value.
struct TaskId {
    std::int32_t subtopology = 0;
    std::int32_t partition = 0;
    [[nodiscard]] std::string text() const {
        return std::to_string(subtopology) + "_" + std::to_string(partition);
    }
    friend auto operator<=>(const TaskId&, const TaskId&) = default;
};

}  // namespace leat::streams
