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

#include "leat/streams/windows.h"

namespace leat::streams {

/// [key@start/end], as in Java.
template <class K>
    requires requires(std::ostream& out, const K& key) { out << key; }
std::ostream& operator<<(std::ostream& out, const Windowed<K>& key) {
    return out << '[' << key.key << '@' << key.window.start << '/' << key.window.end << ']';
}

}  // namespace leat::streams

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
