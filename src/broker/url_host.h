// SPDX-License-Identifier: Apache-2.0
//
// Who an OAuth endpoint's URL leads to: over http only this machine is asked.
// Layer: broker (L6).
#pragma once

#include <string>

namespace leat::broker {

/// The host that libcurl (the client of all these endpoints) connects to for `url` (RFC 3986), an
/// IPv6 address without its brackets: a user's name and a port do not belong to it. "" of what
/// libcurl takes for no URL.
std::string url_host(const std::string& url);

}  // namespace leat::broker
