// SPDX-License-Identifier: Apache-2.0
//
// Errors of system calls. Layer: rt (L1).
#pragma once

#include <cerrno>
#include <string_view>

#include "base/result.h"

namespace leat::rt {

/// "<call> <on>: <text of error>", with the Errc that fits `error`.
Error os_error(std::string_view call, std::string_view on, int error = errno);

/// Repeats `call` while a signal interrupts it.
template <class Call>
auto retry_eintr(Call call) {
    auto result = call();
    while (result < 0 && errno == EINTR) result = call();
    return result;
}

}  // namespace leat::rt
