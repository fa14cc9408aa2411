// SPDX-License-Identifier: Apache-2.0
//
// What a disk or a hand may make of a file. Layer: test-only.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace leat::storage::testing {

struct Damage {
    std::string what;
    bool is_gone = false;
    std::vector<std::byte> content = {};
};

/// Bits of each byte flipped, each shorter length, zeros, and no file at all.
inline std::vector<Damage> damages_of(const std::vector<std::byte>& original) {
    std::vector<Damage> all{{.what = "missing", .is_gone = true}};
    for (std::size_t byte = 0; byte < original.size(); ++byte) {
        for (const unsigned bit : {0U, 4U, 7U}) {
            all.push_back({.what = "byte " + std::to_string(byte) + " bit " + std::to_string(bit),
                           .content = original});
            all.back().content[byte] ^= std::byte{1} << bit;
        }
        all.push_back(
            {.what = "short by " + std::to_string(original.size() - byte),
             .content = {original.begin(), original.begin() + static_cast<std::ptrdiff_t>(byte)}});
        if (byte % 32 == 0) {
            all.push_back({.what = "zeros from " + std::to_string(byte), .content = original});
            const auto from = all.back().content.begin() + static_cast<std::ptrdiff_t>(byte);
            std::fill_n(from, std::min<std::size_t>(32, original.size() - byte), std::byte{0});
        }
    }
    return all;
}

}  // namespace leat::storage::testing
