// SPDX-License-Identifier: Apache-2.0
//
// What the examples have in common: a topology runs on a cluster, or is tried without one.
//
//     NAME HOST:PORT [setting=value]...   until SIGTERM; settings under Kafka Streams' names
//     NAME --try < RECORDS                in the test driver: lines of JSON in, lines of JSON out
//
// A line in has topic, timestamp, key and value, the last two as text or null; a line out has them
// in hexadecimal digits.
#pragma once

#include <string>

#include "leat/streams/application.h"
#include "leat/streams/builder.h"

namespace example {

/// Errors: those of Builder::build().
using MakeTopology = leat::Result<leat::streams::Topology>();

/// The exit code of the program. `options` has the application's id.
int run(int argc, char** argv, MakeTopology* topology, leat::streams::Application::Options options);

}  // namespace example
