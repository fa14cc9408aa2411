// SPDX-License-Identifier: Apache-2.0
//
// Names of hosts in the limits of addresses, and the addresses they stand for. Layer: broker (L6).
// Spec:  Kafka binds such a limit to InetAddress.getByName(): the first address, IPv4 before IPv6.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "auth/quota.h"
#include "base/result.h"
#include "broker/request.h"
#include "rt/task.h"

namespace leat::broker {

using HostNames = std::set<std::string, std::less<>>;
/// Canonical addresses by name.
using HostAddresses = std::map<std::string, std::string, std::less<>>;

/// The names in max.connections.per.ip.overrides: what is no address itself.
[[nodiscard]] HostNames names_in_overrides(std::string_view overrides);

/// The canonical address of one host. Blocks. Errors: kNotFound.
[[nodiscard]] Result<std::string> address_of_host(const std::string& name);

/// Of all that there are; the others are missing. Blocks.
[[nodiscard]] HostAddresses addresses_of(const HostNames& names);

/// Which of `names` are not there. Beyond the first thousand none is looked for. Begins and ends on
/// the request's shard.
rt::Task<HostNames> unknown_hosts(Request* request, HostNames names);

}  // namespace leat::broker
