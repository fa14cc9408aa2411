// SPDX-License-Identifier: Apache-2.0
//
// The parts of a topology, as a task puts them together. Layer: streams SDK, not for users.
// Spec:  names, sub-topologies and their numbers are those of Kafka Streams'
// InternalTopologyBuilder. Threading: filled by one thread, then immutable.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <typeindex>
#include <vector>

#include "base/result.h"
#include "leat/streams/detail/node.h"
#include "leat/streams/detail/store.h"
#include "leat/streams/dsl_stores.h"
#include "leat/streams/options.h"
#include "leat/streams/topology_description.h"

namespace leat::streams::detail {

/// The time of records of a source that has no extractor of its own.
enum class DefaultTime : std::uint8_t {
    kFail,           ///< Their own; an error when that is negative.
    kSkip,           ///< Their own; a negative one drops the record.
    kPartitionTime,  ///< Their own, or else their partition's; an error when it has none.
    kWallClock,
};

/// A node that turns bytes of an input topic into a Flow.
class SourceNode : public Node {
  public:
    using Node::Node;
    using Bytes = SourceBytes;
    /// The record's time by the source's extractor; negative: the record is to be dropped. Comes
    /// before the choice of the next record; its answer is the `timestamp` that take() gets.
    /// Errors: kInvalidTimestamp, kInvalidRecord (the extractor looks at key and value), and what
    /// the extractor answers or throws.
    /// Here: by the default.
    virtual Result<std::int64_t> stamp(const Bytes& bytes);
    /// Of a source that has no extractor.
    void set_default_time(DefaultTime by) noexcept { default_time_ = by; }
    /// Decodes and forwards. Errors: kInvalidRecord, and what processing ends with.
    virtual Result<void> take(const Bytes& bytes) = 0;
    /// Whether the last stamp() or take() failed because the bytes do not decode: a matter for the
    /// deserialization exception handler.
    [[nodiscard]] bool undecodable() const noexcept { return undecodable_; }

  protected:
    Result<void> process(const Flow& flow) final { return forward(flow); }
    bool undecodable_ = false;

  private:
    DefaultTime default_time_ = DefaultTime::kFail;
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
    std::string pattern{};               ///< Of a source that reads all topics whose name matches.
    OffsetReset reset{};                 ///< Of a source.
    std::type_index in = typeid(void);   ///< Record<K, V> that it takes; void: not checked.
    std::type_index out = typeid(void);  ///< The one that it forwards.
};

struct RepartitionTopic {
    std::string name;  ///< Without the application's prefix.
    std::optional<std::int32_t> partitions{};
};

/// Everything between `Builder::build()` and running tasks.
class Parts {
  public:
    void add(Part part);
    /// `owner`: who may add an equal store of this name again; empty: nobody.
    void add_store(StoreSpec spec, const std::vector<std::string>& users,
                   std::string_view owner = {});
    /// The owner of stores that processors bring along or name: they share equal ones.
    static constexpr std::string_view kProcessors = "processors";
    /// Lets a node that was added use a store that was added.
    void connect(const std::string& node, const std::string& store);
    /// Records that come to these nodes meet by key: the topics above them must have as many
    /// partitions. Not said of processors that share a store: what they do with it is their affair.
    void copartition(std::vector<std::string> nodes);
    /// The same of a node and of those that fill stores it reads.
    void copartition(const std::string& reader, const std::vector<std::string>& stores);
    /// A store that each instance holds whole: fed from `source` through `processor`, which are
    /// added here and run in no task.
    void add_global_store(StoreSpec spec, Part source, Part processor);
    void add_repartition_topic(RepartitionTopic topic);
    /// Notes a mistake; the first one stays.
    void require(std::string_view part, bool good, std::string_view mistake);
    /// Names of parents that parts added from now on may use for another.
    void set_moved(std::map<std::string, std::string> moved) { moved_ = std::move(moved); }
    void set_optimization(const Optimization& to) { optimization_ = to; }
    /// Where stores are that leave it open; `otherwise` without a function.
    void place_stores(const DslStores& stores, StoreType otherwise);
    /// What runs over the whole, when all is added. Errors: kStreamsInvalidTopology.
    Result<void> check() const;

    [[nodiscard]] const std::vector<Part>& all() const noexcept { return parts_; }
    [[nodiscard]] const std::vector<StoreSpec>& stores() const noexcept { return stores_; }
    [[nodiscard]] const std::map<std::string, RepartitionTopic>& repartition_topics()
        const noexcept {
        return repartition_;
    }
    [[nodiscard]] const std::vector<std::vector<std::string>>& copartitioned() const noexcept {
        return copartitioned_;
    }
    [[nodiscard]] const Part* find(std::string_view name) const;
    [[nodiscard]] const StoreSpec* find_store(std::string_view name) const;
    [[nodiscard]] const Optimization& optimization() const noexcept { return optimization_; }
    /// Whether a node feeds a global store. Sub-topologies of such nodes have no tasks.
    [[nodiscard]] bool is_global(const std::string& node) const {
        return global_nodes_.contains(node);
    }
    [[nodiscard]] bool has_global_stores() const noexcept { return !global_stores_.empty(); }
    [[nodiscard]] bool is_global_store(const std::string& store) const {
        return global_stores_.contains(store);
    }

    /// Names of the nodes of each sub-topology, in the order of their numbers.
    [[nodiscard]] std::vector<std::vector<std::string>> subtopologies() const;
    [[nodiscard]] TopologyDescription description() const;
    /// The same as text.
    [[nodiscard]] std::string describe() const;

  private:
    void check_store(const StoreSpec& spec, std::string_view user);

    std::vector<Part> parts_;
    std::vector<StoreSpec> stores_;
    std::map<std::string, RepartitionTopic> repartition_;
    std::map<std::string, std::string> owners_;  ///< Of stores.
    std::vector<std::vector<std::string>> copartitioned_;
    std::set<std::string> global_nodes_;
    std::set<std::string> global_stores_;
    std::map<std::string, std::string> moved_;
    Optimization optimization_;
    std::string mistake_;
};

/// Whether the whole name of a topic matches a pattern (POSIX extended regular expression); false
/// also for a pattern that is none.
[[nodiscard]] bool topic_matches(const std::string& pattern, const std::string& topic);
[[nodiscard]] bool is_pattern(const std::string& pattern);

}  // namespace leat::streams::detail
