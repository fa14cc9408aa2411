// SPDX-License-Identifier: Apache-2.0
//
// The parts of a topology, as a task puts them together. Layer: streams SDK, not for users.
// Spec:  names, sub-topologies and their numbers are those of Kafka Streams'
// InternalTopologyBuilder. Threading: filled by one thread, then immutable.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "leat/streams/detail/node.h"
#include "leat/streams/detail/store.h"

namespace leat::streams::detail {

/// A node that turns bytes of an input topic into a Flow.
class SourceNode : public Node {
  public:
    using Node::Node;
    struct Bytes {
        std::string_view topic{};
        std::optional<std::string_view> key{};
        std::optional<std::string_view> value{};
        std::int64_t timestamp = -1;
        const Headers* headers = nullptr;
        std::int64_t partition_time = -1;
    };
    /// Decodes and forwards. Errors: kInvalidRecord, and what processing ends with.
    virtual Result<void> take(const Bytes& bytes) = 0;

  protected:
    Result<void> process(const Flow& flow) final { return forward(flow); }
};

struct Part {
    enum class Kind : std::uint8_t { kSource, kProcessor, kSink };
    std::string name;
    Kind kind = Kind::kProcessor;
    std::vector<std::string> parents{};
    std::vector<std::string> stores{};
    std::vector<std::string>
        topics{};  ///< Of a source; of a sink the one, or none when it is chosen per record.
    std::function<std::unique_ptr<Node>()> make{};
};

struct RepartitionTopic {
    std::string name;  ///< Without the application's prefix.
    std::optional<std::int32_t> partitions{};
};

/// Everything between `Builder::build()` and running tasks.
class Parts {
  public:
    void add(Part part);
    void add_store(StoreSpec spec, const std::vector<std::string>& users);
    void add_repartition_topic(RepartitionTopic topic);

    [[nodiscard]] const std::vector<Part>& all() const noexcept { return parts_; }
    [[nodiscard]] const std::vector<StoreSpec>& stores() const noexcept { return stores_; }
    [[nodiscard]] const std::map<std::string, RepartitionTopic>& repartition_topics()
        const noexcept {
        return repartition_;
    }
    [[nodiscard]] const Part* find(std::string_view name) const;

    /// Names of the nodes of each sub-topology, in the order of their numbers.
    [[nodiscard]] std::vector<std::vector<std::string>> subtopologies() const;
    /// Kafka's TopologyDescription as text.
    [[nodiscard]] std::string describe() const;

  private:
    std::vector<Part> parts_;
    std::vector<StoreSpec> stores_;
    std::map<std::string, RepartitionTopic> repartition_;
};

}  // namespace leat::streams::detail
