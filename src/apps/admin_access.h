// SPDX-License-Identifier: Apache-2.0
//
// What the administration commands share: connecting, and telling outcomes. Layer: apps (L7).
#pragma once

#include <boost/json/value.hpp>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apps/command.h"
#include "base/result.h"
#include "client/admin.h"

namespace leat::apps {

struct AdminAccess {
    std::unique_ptr<client::Admin> admin;
    std::string where;  ///< The bootstrap list, for messages.
};

/// Errors: those of cluster_access(); of the connection, told as "cannot reach the cluster at ...".
[[nodiscard]] Result<AdminAccess> connect_admin(const Invocation& line);

/// Outcomes of one kind of change.
///
/// Threading: not synchronised.
class Outcomes {
  public:
    /// `verb` and `noun` make "cannot delete topic 'a' on ...".
    Outcomes(std::string verb, std::string noun, std::string where);
    /// True when it is done; a failure is told on stderr at once.
    bool note(const client::Outcome& outcome);
    /// [{"name", "error", "message"}] of what failed.
    [[nodiscard]] const boost::json::array& failures() const { return failures_; }
    [[nodiscard]] int exit_code() const;

  private:
    std::string verb_;
    std::string noun_;
    std::string where_;
    boost::json::array failures_;
};

/// --set NAME=VALUE and --unset NAME, in that order. Errors: kUsage.
[[nodiscard]] Result<std::vector<client::ConfigChange>> config_changes(const Invocation& line);

/// Names that a resource with settings `known` does not have, though it tells all it has:
/// kInvalidConfig with the first. A broker takes the removal of any name.
Result<void> check_names(std::span<const client::ConfigEntry> known,
                         std::span<const std::string> names);
/// The same of --unset, before anything is changed. A resource that may not be described, or does
/// not tell all its settings, passes.
Result<void> check_unset(client::Admin& admin, const client::Resource& resource,
                         std::span<const std::string> names);

/// The values of --partition or another repeated number. Errors: kUsage.
[[nodiscard]] Result<std::vector<std::int32_t>> numbers_of(const Invocation& line,
                                                           std::string_view key);

/// "dynamic-topic", "default"... for DescribeConfigs' number.
[[nodiscard]] std::string_view config_source_name(std::int8_t source);

/// {"name", "value", "source", "read_only", "sensitive"} of each.
[[nodiscard]] boost::json::array configs_json(std::span<const client::ConfigEntry> entries,
                                              bool only_set);

/// {"path", "error", "size_bytes", "total_bytes", "usable_bytes"}; null for what was not told.
[[nodiscard]] boost::json::object log_dir_json(const client::LogDirInfo& directory);

}  // namespace leat::apps
