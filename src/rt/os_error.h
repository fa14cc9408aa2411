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

/// The same for a call that makes bytes durable: never kTooManyOpenFiles. What failed is the sync,
/// whatever number the file system gives for it: one in user space may mean that it has no
/// descriptor itself. Nobody may take that for a sync that was not tried.
Error sync_error(std::string_view call, std::string_view on, int error = errno);

/// Repeats `call` while a signal interrupts it.
template <class Call>
auto retry_eintr(Call call) {
    auto result = call();
    while (result < 0 && errno == EINTR) result = call();
    return result;
}

}  // namespace leat::rt
