// SPDX-License-Identifier: Apache-2.0
//
// What the fuzz targets of the messages share. Layer: wire (L2), test-only.
#pragma once

#include <cstddef>
#include <cstdint>

namespace leat::wire::testing {

/// Runs one input against the messages of the schema `stem` (see Entry): the first byte picks
/// message and version, the rest is the message. Aborts when a property does not hold.
void fuzz_api(const char* stem, const std::uint8_t* data, std::size_t size);

}  // namespace leat::wire::testing
