// SPDX-License-Identifier: Apache-2.0
//
// The common options of client commands as properties, and how failures are told. Layer: apps (L7).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apps/command.h"
#include "base/result.h"
#include "base/units.h"
#include "client/client_properties.h"
#include "client/endpoint.h"

namespace leat::apps {

/// Which cluster a command talks to, and how.
struct ClusterAccess {
    std::vector<client::Property> properties;  ///< With bootstrap.servers and client.id set.
    std::vector<client::Endpoint> bootstrap;
    std::string where;  ///< The bootstrap list, for messages.
};

/// --bootstrap (or its environment), then the file's bootstrap.servers, then the default.
/// Errors: kUsage, kInvalidSetting (naming file, line and setting), kIoError.
[[nodiscard]] Result<ClusterAccess> cluster_access(const Invocation& line);

/// `cause` under what was tried: "cannot create topic 'a' on 127.0.0.1:9092: TOPIC_ALREADY_EXISTS:
/// ...".
[[nodiscard]] Error failed_to(std::string_view what, const Error& cause);

/// "NAME: detail" of an error; the name only when there is no detail, the detail only for our own
/// codes.
[[nodiscard]] std::string error_text(const Error& error);

/// Asks on the terminal unless --yes was given. Errors: kUsage when there is no terminal to ask on,
/// kCancelled when the answer is no.
Result<void> confirm(const Invocation& line, std::string_view question);

/// The system's wall clock.
[[nodiscard]] WallMs wall_clock_now();

/// Whole content of a file that the line names. Errors: kUsage (it cannot be opened, or is
/// a folder), kIoError, naming it.
[[nodiscard]] Result<std::string> read_text_file(const std::string& path);

}  // namespace leat::apps
