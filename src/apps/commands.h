// SPDX-License-Identifier: Apache-2.0
//
// The commands by family, each with its texts, options and what runs it in the source named after
// it; commands.cc puts them into the order of help. Layer: apps (L7).
#pragma once

#include <span>

#include "apps/command.h"

namespace leat::apps {

[[nodiscard]] std::span<const Command> serve_commands();
[[nodiscard]] std::span<const Command> topic_commands();
[[nodiscard]] std::span<const Command> topic_alter_commands();
[[nodiscard]] std::span<const Command> config_commands();
[[nodiscard]] std::span<const Command> produce_commands();
[[nodiscard]] std::span<const Command> consume_commands();
[[nodiscard]] std::span<const Command> group_commands();
[[nodiscard]] std::span<const Command> txn_commands();
[[nodiscard]] std::span<const Command> cluster_commands();
[[nodiscard]] std::span<const Command> feature_commands();
[[nodiscard]] std::span<const Command> stream_commands();
[[nodiscard]] std::span<const Command> stream_reset_commands();
[[nodiscard]] std::span<const Command> user_commands();
[[nodiscard]] std::span<const Command> acl_commands();
[[nodiscard]] std::span<const Command> quota_commands();
[[nodiscard]] std::span<const Command> log_check_commands();
[[nodiscard]] std::span<const Command> log_dump_commands();
[[nodiscard]] std::span<const Command> bench_produce_commands();
[[nodiscard]] std::span<const Command> bench_consume_commands();
[[nodiscard]] std::span<const Command> bench_latency_commands();
[[nodiscard]] std::span<const Command> plain_commands();

}  // namespace leat::apps
