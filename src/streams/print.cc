// SPDX-License-Identifier: Apache-2.0
#include "leat/streams/detail/print.h"

#include <cstdio>

namespace leat::streams::detail {

void print_line(std::string_view line) {
    std::fwrite(line.data(), 1, line.size(), stdout);
}

}  // namespace leat::streams::detail
