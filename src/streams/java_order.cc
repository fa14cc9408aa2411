// SPDX-License-Identifier: Apache-2.0
#include "streams/java_order.h"

#include <map>

namespace leat::streams::detail {

std::uint32_t java_hash(std::string_view text) {
    constexpr std::uint32_t kFactor = 31;
    std::uint32_t hash = 0;
    for (const char c : text) hash = hash * kFactor + static_cast<unsigned char>(c);
    return hash;
}

std::vector<std::size_t> java_order(const std::vector<std::uint32_t>& hashes) {
    // A table begins with 16 places and doubles when it is more than three quarters full. What is
    // in one place keeps the order of its insertion, also when the table is split.
    std::size_t places = 16;
    while (hashes.size() > places / 4 * 3) places *= 2;
    std::multimap<std::size_t, std::size_t> placed;
    for (std::size_t i = 0; i < hashes.size(); ++i)
        placed.emplace((hashes[i] ^ (hashes[i] >> 16U)) & (places - 1), i);
    std::vector<std::size_t> out;
    out.reserve(hashes.size());
    for (const auto& [place, index] : placed) out.push_back(index);
    return out;
}

std::vector<std::string> java_order(const std::vector<std::string>& names) {
    std::vector<std::uint32_t> hashes;
    hashes.reserve(names.size());
    for (const auto& name : names) hashes.push_back(java_hash(name));
    std::vector<std::string> out;
    out.reserve(names.size());
    for (const std::size_t index : java_order(hashes)) out.push_back(names[index]);
    return out;
}

}  // namespace leat::streams::detail
