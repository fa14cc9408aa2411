// SPDX-License-Identifier: Apache-2.0
//
// One fuzz target an API: wire_<api>_fuzz. Properties: see fuzz_api.cc.
#include "wire/testing/fuzz_api.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    leat::wire::testing::fuzz_api(LEAT_FUZZ_STEM, data, size);
    return 0;
}
