// SPDX-License-Identifier: Apache-2.0
//
// One fuzz target an API: wire_<api>_fuzz. Properties: see check() in dump.cc.
#include <cstdint>

#include "wire/testing/catalog.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    leat::wire::testing::fuzz_api(LEAT_FUZZ_STEM, std::as_bytes(std::span{data, size}));
    return 0;
}
