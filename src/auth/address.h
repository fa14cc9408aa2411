// SPDX-License-Identifier: Apache-2.0
//
// IP addresses as rules and limits name them. Layer: auth (L2). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace leat::auth {

/// The one spelling that a connection's peer has ("::1" of "0:0:0:0:0:0:0:1", which is how Java
/// writes it, "10.0.0.7" of "::ffff:10.0.0.7"), a zone kept. nullopt for what is no address.
[[nodiscard]] std::optional<std::string> canonical_address(std::string_view text);

}  // namespace leat::auth
