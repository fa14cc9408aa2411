// SPDX-License-Identifier: Apache-2.0
//
// A finished topology. Layer: streams SDK.
// Spec:  Kafka Streams' Topology and TopologyDescription.
// Threading: immutable; may be shared by threads.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "leat/streams/detail/parts.h"
#include "leat/streams/dsl_stores.h"
#include "leat/streams/topology_description.h"

namespace leat::streams {

class Topology {
  public:
    explicit Topology(std::shared_ptr<const detail::Parts> parts) : parts_(std::move(parts)) {}
    [[nodiscard]] TopologyDescription description() const { return parts_->description(); }
    /// Kafka's text of the topology: sub-topologies, nodes, stores, and what follows what.
    [[nodiscard]] std::string describe() const { return parts_->describe(); }
    /// The same with a place for each store whose operator leaves it open.
    [[nodiscard]] Topology placed(const DslStores& stores, StoreType otherwise) const;
    [[nodiscard]] const detail::Parts& parts() const noexcept { return *parts_; }

  private:
    std::shared_ptr<const detail::Parts> parts_;
};

}  // namespace leat::streams
