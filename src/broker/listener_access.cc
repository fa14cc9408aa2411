// SPDX-License-Identifier: Apache-2.0
#include "broker/listener_access.h"

#include <algorithm>

#include "auth/digest.h"
#include "auth/plain.h"
#include "auth/scram.h"
#include "base/check.h"
#include "broker/shard.h"

namespace leat::broker {
namespace {

/// Users of the listener's own settings.
auth::PlainVerifier verifier_of(const auth::PlainUsers& users) {
    return [&users](std::string_view user,
                    std::string_view password) -> std::optional<auth::Identity> {
        if (!auth::has_password(users, user, password)) return std::nullopt;
        return auth::Identity{auth::Principal::user(user), false, std::nullopt};
    };
}

}  // namespace

ListenerAccess::ListenerAccess(const config::Listener& listener,
                               const config::ListenerSecurity& security)
    : name_(listener.name),
      protocol_(listener.protocol),
      security_(security),
      fake_secret_(auth::random_bytes(32)) {}

Result<std::shared_ptr<ListenerAccess>> ListenerAccess::open(
    const config::Listener& listener, const config::ListenerSecurity& security) {
    return std::shared_ptr<ListenerAccess>{new ListenerAccess{listener, security}};
}

bool ListenerAccess::has_mechanism(std::string_view mechanism) const {
    return std::ranges::find(security_.sasl.mechanisms, mechanism) !=
           security_.sasl.mechanisms.end();
}

std::unique_ptr<auth::SaslServer> ListenerAccess::begin(std::string_view mechanism,
                                                        Shard& /*shard*/) const {
    LEAT_CHECK(has_mechanism(mechanism));
    return auth::make_plain_server(verifier_of(security_.sasl.plain_users));
}

}  // namespace leat::broker
