// SPDX-License-Identifier: Apache-2.0
//
// The commands, one source each family; commands.cc lists them. Layer: apps (L7).
// Every function runs one command line and returns its exit code or what went wrong.
#pragma once

#include <span>

#include "apps/command.h"
#include "base/result.h"

namespace leat::apps {

Result<int> run_produce(const Invocation& line);
Result<int> run_consume(const Invocation& line);
Result<int> run_version(const Invocation& line);
Result<int> run_completion(const Invocation& line);
Result<int> run_reference(const Invocation& line);

extern const std::span<const OptionSpec> kProduceOptions;
extern const std::span<const OptionSpec> kConsumeOptions;

}  // namespace leat::apps
