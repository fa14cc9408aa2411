// SPDX-License-Identifier: Apache-2.0
//
// A certificate's name as Kafka's rules and access lists have it. Layer: rt (L2). Pure.
// Spec: RFC 2253, in the form of Java 17's X500Principal.getName(): keywords for nine types only,
// '='
//       and '#' escaped everywhere, letters beyond ASCII as they are.
#pragma once

#include <string>

struct X509_name_st;

namespace leat::rt {

/// "CN=alice,O=Acme", the last part first. "" for a name without parts.
[[nodiscard]] std::string text_of_name(const X509_name_st* name);

}  // namespace leat::rt
