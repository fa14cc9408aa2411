// SPDX-License-Identifier: Apache-2.0
//
// Who may ask: whoever knows a name and a password. Layer: stream_endpoint (L7). Pure.
// Spec:  RFC 7617 (Basic).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/message.h"

namespace leat::stream_endpoint {

/// Threading: immutable.
class Access {
  public:
    /// Both empty: everybody may. Errors: kInvalidSetting (one without the other, a colon in the
    /// name).
    static Result<Access> open(std::string_view user, std::string_view password);

    /// What to answer to who may not ask that; nothing: he may. Probes of health need no password.
    [[nodiscard]] std::optional<http::Response> refuse(const http::Request& request) const;
    [[nodiscard]] bool asks_everybody() const noexcept { return !expected_.empty(); }
    /// The header's value for questions to other instances; empty: none.
    [[nodiscard]] const std::string& authorization() const noexcept { return expected_; }

  private:
    std::string expected_;  ///< "Basic " and what follows.
};

}  // namespace leat::stream_endpoint
