// SPDX-License-Identifier: Apache-2.0
//
// The commands, one source each family; commands.cc lists them. Layer: apps (L7).
// Every function runs one command line and returns its exit code or what went wrong.
#pragma once

#include <span>

#include "apps/command.h"
#include "base/result.h"

namespace leat::apps {

Result<int> run_serve(const Invocation& line);
Result<int> run_produce(const Invocation& line);
Result<int> run_consume(const Invocation& line);
Result<int> run_topic_create(const Invocation& line);
Result<int> run_topic_list(const Invocation& line);
Result<int> run_topic_describe(const Invocation& line);
Result<int> run_topic_alter(const Invocation& line);
Result<int> run_topic_delete(const Invocation& line);
Result<int> run_config_list(const Invocation& line);
Result<int> run_config_describe(const Invocation& line);
Result<int> run_config_alter(const Invocation& line);
Result<int> run_group_list(const Invocation& line);
Result<int> run_group_describe(const Invocation& line);
Result<int> run_group_reset(const Invocation& line);
Result<int> run_group_delete(const Invocation& line);
Result<int> run_group_delete_offsets(const Invocation& line);
Result<int> run_group_remove_members(const Invocation& line);
Result<int> run_stream_describe(const Invocation& line);
Result<int> run_stream_lag(const Invocation& line);
Result<int> run_stream_reset(const Invocation& line);
Result<int> run_txn_list(const Invocation& line);
Result<int> run_txn_describe(const Invocation& line);
Result<int> run_txn_find_hanging(const Invocation& line);
Result<int> run_txn_abort(const Invocation& line);
Result<int> run_txn_force_terminate(const Invocation& line);
Result<int> run_acl_list(const Invocation& line);
Result<int> run_acl_add(const Invocation& line);
Result<int> run_acl_delete(const Invocation& line);
Result<int> run_quota_list(const Invocation& line);
Result<int> run_quota_set(const Invocation& line);
Result<int> run_cluster_status(const Invocation& line);
Result<int> run_cluster_brokers(const Invocation& line);
Result<int> run_cluster_features(const Invocation& line);
Result<int> run_cluster_upgrade(const Invocation& line);
Result<int> run_cluster_downgrade(const Invocation& line);
Result<int> run_log_check(const Invocation& line);
Result<int> run_log_dump(const Invocation& line);
Result<int> run_bench_produce(const Invocation& line);
Result<int> run_bench_consume(const Invocation& line);
Result<int> run_bench_latency(const Invocation& line);
Result<int> run_user_list(const Invocation& line);
Result<int> run_user_add(const Invocation& line);
Result<int> run_user_remove(const Invocation& line);
Result<int> run_token_create(const Invocation& line);
Result<int> run_token_list(const Invocation& line);
Result<int> run_token_renew(const Invocation& line);
Result<int> run_token_expire(const Invocation& line);
Result<int> run_version(const Invocation& line);
Result<int> run_completion(const Invocation& line);
Result<int> run_reference(const Invocation& line);

[[nodiscard]] std::span<const OptionSpec> serve_options();
[[nodiscard]] std::span<const OptionSpec> topic_create_options();
[[nodiscard]] std::span<const OptionSpec> topic_list_options();
[[nodiscard]] std::span<const OptionSpec> topic_describe_options();
[[nodiscard]] std::span<const OptionSpec> topic_alter_options();
[[nodiscard]] std::span<const OptionSpec> topic_delete_options();
[[nodiscard]] std::span<const OptionSpec> config_list_options();
[[nodiscard]] std::span<const OptionSpec> config_describe_options();
[[nodiscard]] std::span<const OptionSpec> config_alter_options();
[[nodiscard]] std::span<const OptionSpec> group_list_options();
[[nodiscard]] std::span<const OptionSpec> group_describe_options();
[[nodiscard]] std::span<const OptionSpec> group_reset_options();
[[nodiscard]] std::span<const OptionSpec> group_delete_options();
[[nodiscard]] std::span<const OptionSpec> group_delete_offsets_options();
[[nodiscard]] std::span<const OptionSpec> group_remove_members_options();
[[nodiscard]] std::span<const OptionSpec> stream_describe_options();
[[nodiscard]] std::span<const OptionSpec> stream_lag_options();
[[nodiscard]] std::span<const OptionSpec> stream_reset_options();
[[nodiscard]] std::span<const OptionSpec> txn_list_options();
[[nodiscard]] std::span<const OptionSpec> txn_describe_options();
[[nodiscard]] std::span<const OptionSpec> txn_find_options();
[[nodiscard]] std::span<const OptionSpec> txn_abort_options();
[[nodiscard]] std::span<const OptionSpec> cluster_upgrade_options();
[[nodiscard]] std::span<const OptionSpec> cluster_downgrade_options();
[[nodiscard]] std::span<const OptionSpec> log_check_options();
[[nodiscard]] std::span<const OptionSpec> log_dump_options();
[[nodiscard]] std::span<const OptionSpec> acl_add_options();
[[nodiscard]] std::span<const OptionSpec> acl_filter_options();
[[nodiscard]] std::span<const OptionSpec> acl_delete_options();
[[nodiscard]] std::span<const OptionSpec> quota_list_options();
[[nodiscard]] std::span<const OptionSpec> quota_set_options();
[[nodiscard]] std::span<const OptionSpec> bench_produce_options();
[[nodiscard]] std::span<const OptionSpec> bench_consume_options();
[[nodiscard]] std::span<const OptionSpec> bench_latency_options();
[[nodiscard]] std::span<const OptionSpec> user_list_options();
[[nodiscard]] std::span<const OptionSpec> user_add_options();
[[nodiscard]] std::span<const OptionSpec> user_remove_options();
[[nodiscard]] std::span<const OptionSpec> token_create_options();
[[nodiscard]] std::span<const OptionSpec> token_renew_options();
[[nodiscard]] std::span<const OptionSpec> token_expire_options();
[[nodiscard]] std::span<const OptionSpec> produce_options();
[[nodiscard]] std::span<const OptionSpec> consume_options();

}  // namespace leat::apps
