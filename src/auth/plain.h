// SPDX-License-Identifier: Apache-2.0
//
// PLAIN: name and password as they are. Layer: auth (L2). Pure.
// Spec:  RFC 4616; texts as Kafka's PlainSaslServer.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "auth/sasl.h"

namespace leat::auth {

struct PlainMessage {
    std::string_view authorization;
    std::string_view user;
    std::string_view password;
};

/// Views into `message`. Errors: kSaslAuthenticationFailed.
Result<PlainMessage> parse_plain(std::string_view message);
[[nodiscard]] std::string plain_message(std::string_view user, std::string_view password);

/// Who this name and password are; nullopt: nobody. Must take the same time for a wrong name and a
/// wrong password.
using PlainVerifier =
    std::function<std::optional<Identity>(std::string_view user, std::string_view password)>;

[[nodiscard]] std::unique_ptr<SaslServer> make_plain_server(PlainVerifier verify);
[[nodiscard]] std::unique_ptr<SaslClient> make_plain_client(std::string user, std::string password);

/// Users by name, with their passwords.
using PlainUsers = std::map<std::string, std::string, std::less<>>;
/// Whether `users` has this name with this password.
[[nodiscard]] bool has_password(const PlainUsers& users, std::string_view user,
                                std::string_view password);

}  // namespace leat::auth
