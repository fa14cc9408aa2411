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
Result<int> run_topic_create(const Invocation& line);
Result<int> run_topic_list(const Invocation& line);
Result<int> run_topic_describe(const Invocation& line);
Result<int> run_topic_alter(const Invocation& line);
Result<int> run_topic_delete(const Invocation& line);
Result<int> run_config_describe(const Invocation& line);
Result<int> run_config_alter(const Invocation& line);
Result<int> run_group_list(const Invocation& line);
Result<int> run_group_describe(const Invocation& line);
Result<int> run_group_reset(const Invocation& line);
Result<int> run_group_delete(const Invocation& line);
Result<int> run_cluster_status(const Invocation& line);
Result<int> run_cluster_brokers(const Invocation& line);
Result<int> run_bench_produce(const Invocation& line);
Result<int> run_bench_consume(const Invocation& line);
Result<int> run_bench_latency(const Invocation& line);
Result<int> run_version(const Invocation& line);
Result<int> run_completion(const Invocation& line);
Result<int> run_reference(const Invocation& line);

extern const std::span<const OptionSpec> kTopicCreateOptions;
extern const std::span<const OptionSpec> kTopicListOptions;
extern const std::span<const OptionSpec> kTopicDescribeOptions;
extern const std::span<const OptionSpec> kTopicAlterOptions;
extern const std::span<const OptionSpec> kTopicDeleteOptions;
extern const std::span<const OptionSpec> kConfigDescribeOptions;
extern const std::span<const OptionSpec> kConfigAlterOptions;
extern const std::span<const OptionSpec> kGroupDescribeOptions;
extern const std::span<const OptionSpec> kGroupResetOptions;
extern const std::span<const OptionSpec> kGroupDeleteOptions;
extern const std::span<const OptionSpec> kBenchProduceOptions;
extern const std::span<const OptionSpec> kBenchConsumeOptions;
extern const std::span<const OptionSpec> kBenchLatencyOptions;
extern const std::span<const OptionSpec> kProduceOptions;
extern const std::span<const OptionSpec> kConsumeOptions;

}  // namespace leat::apps
