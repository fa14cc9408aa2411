// SPDX-License-Identifier: Apache-2.0
//
// Records as lines of text. Layer: streams SDK, not for users.
// Spec:  Kafka Streams' Printed: "[label]: key, value".
// Threading: print_line() may be called by several threads; the rest are pure functions.
#pragma once

#include <ostream>
#include <sstream>
#include <string>
#include <string_view>

namespace leat::streams::detail {

template <class T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };

/// Writes to standard output.
void print_line(std::string_view line);

template <Printable K, Printable V>
std::string text_of(const K* key, const V* value) {
    std::ostringstream out;
    if (key != nullptr)
        out << *key;
    else
        out << "null";
    out << ", ";
    if (value != nullptr)
        out << *value;
    else
        out << "null";
    return std::move(out).str();
}

}  // namespace leat::streams::detail
