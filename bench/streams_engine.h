// SPDX-License-Identifier: Apache-2.0
//
// Leat Streams' engine without clients: the tasks of an application on one thread, whose input and
// output are in memory. Layer: bench. Threading: plain functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/properties.h"
#include "leat/streams/topology.h"
#include "streams_check.h"

namespace leat::bench {

/// What came of a run, and what it took.
struct EngineRun {
    std::int64_t records = 0;  ///< Of the last three fifths of the input,
    double cpu_seconds = 0;    ///< and the thread's time for them.
    std::int64_t outputs = 0;
    std::int64_t expected = 0;
    std::int64_t wrong = 0;
};

/// What an application's thread does to all of the input and a client does not: it takes records as
/// bytes out of what was fetched, and hands bytes to a producer. `topology` reads "in", a join
/// "right" too, and writes "out"; `name` is make_checker()'s. What makes input and checks output is
/// not measured. Errors: what ends the thread.
Result<EngineRun> run_engine(const streams::Topology& topology, const std::string& name,
                             const Given& given, const std::vector<config::Property>& settings);

}  // namespace leat::bench
