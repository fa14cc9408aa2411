// SPDX-License-Identifier: Apache-2.0
//
// The internal topics of a case that says how many partitions its input has. Layer: tests/streams.
// Threading: one thread.
#pragma once

#include <boost/json.hpp>

#include "leat/streams/topology.h"

namespace leat::streams::cases {

/// {name: {"partitions": n, "configs": {name: value}}}, or {"error": why}.
boost::json::object internal_topics(const Topology& topology, const boost::json::object& fields);

}  // namespace leat::streams::cases
