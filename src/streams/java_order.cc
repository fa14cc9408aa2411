// SPDX-License-Identifier: Apache-2.0
#include "streams/java_order.h"

#include <cstdint>
#include <map>

namespace leat::streams::detail {

namespace {

std::uint32_t java_hash(const std::string& text) {
    constexpr std::uint32_t kFactor = 31;
    std::uint32_t hash = 0;
    for (const char c : text) hash = hash * kFactor + static_cast<unsigned char>(c);
    return hash;
}

}  // namespace

std::vector<std::string> java_order(const std::vector<std::string>& names) {
    // A table begins with 16 places and doubles when it is more than three quarters full. Names in
    // one place keep the order of their insertion, also when the table is split.
    std::size_t places = 16;
    while (names.size() > places / 4 * 3) places *= 2;
    std::multimap<std::size_t, const std::string*> placed;
    for (const auto& name : names) {
        const std::uint32_t hash = java_hash(name);
        placed.emplace((hash ^ (hash >> 16U)) & (places - 1), &name);
    }
    std::vector<std::string> out;
    out.reserve(names.size());
    for (const auto& [place, name] : placed) out.push_back(*name);
    return out;
}

}  // namespace leat::streams::detail
