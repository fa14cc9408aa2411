// SPDX-License-Identifier: Apache-2.0
#include "broker/limit_hosts.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "auth/address.h"
#include "broker/broker.h"
#include "broker/connection_limits.h"
#include "rt/on_pool.h"
#include "rt/socket_address.h"

namespace leat::broker {
namespace {

constexpr std::size_t kLookedForMax = 1'000;

}  // namespace

HostNames names_in_overrides(std::string_view overrides) {
    HostNames out;
    const auto parsed = ConnectionLimits::parse_overrides(overrides);
    if (!parsed.has_value()) return out;
    for (const auto& [host, count] : *parsed)
        if (!auth::canonical_address(host)) out.insert(host);
    return out;
}

Result<std::string> address_of_host(const std::string& name) {
    LEAT_TRY(const std::vector<rt::SocketAddress> all, rt::SocketAddress::look_up(name));
    if (all.empty()) return Error{Errc::kNotFound, "host " + name + " has no address"};
    const auto v4 = std::ranges::find(all, false, &rt::SocketAddress::is_v6);
    return (v4 != all.end() ? *v4 : all.front()).host();
}

HostAddresses addresses_of(const HostNames& names) {
    HostAddresses out;
    for (const std::string& name : names)
        if (auto address = address_of_host(name); address.has_value())
            out.emplace(name, *std::move(address));
    return out;
}

rt::Task<HostNames> unknown_hosts(Request* request, HostNames names) {
    if (names.empty()) co_return HostNames{};
    Shard& shard = *request->shard;
    co_return co_await rt::on_pool_for_long(
        shard.broker().pool(), shard.executor(), [names = std::move(names)] {
            HostNames unknown;
            std::size_t count = 0;
            for (const std::string& name : names)
                if (++count > kLookedForMax || !address_of_host(name).has_value())
                    unknown.insert(name);
            return unknown;
        });
}

}  // namespace leat::broker
