// SPDX-License-Identifier: Apache-2.0
//
// Internal topics whose records are made and read as bytes. Layer: streams SDK, not for users.
// Threading: as detail/node.h.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "leat/streams/detail/parts.h"
#include "leat/streams/detail/task.h"

namespace leat::streams::detail {

/// The value of a Flow to a WireSinkNode.
struct WireOut {
    std::optional<std::string> key{};
    std::string value{};
    std::optional<std::int32_t> partition{};
    const Error* unencodable = nullptr;  ///< Why there is no value: the sink asks about it.
};
/// The value of a Flow from a WireSourceNode.
struct WireIn {
    std::optional<std::string_view> key{};
    std::optional<std::string_view> value{};
};

/// The partition of a topic that a key's bytes go to; nothing: Kafka's own choice.
using WirePartitioner = std::function<Result<std::optional<std::int32_t>>(
    std::string_view topic, const std::optional<std::string>& key, std::int32_t partitions)>;

class WireSinkNode final : public Node {
  public:
    /// An empty `partitioner`: as the record says.
    WireSinkNode(std::string name, std::string topic, WirePartitioner partitioner)
        : Node(std::move(name)), topic_(std::move(topic)), partitioner_(std::move(partitioner)) {}

  private:
    Result<void> process(const Flow& flow) override;
    std::string topic_;
    WirePartitioner partitioner_;
};

class WireSourceNode final : public SourceNode {
  public:
    using SourceNode::SourceNode;
    Result<void> take(const Bytes& bytes) override;
};

}  // namespace leat::streams::detail
