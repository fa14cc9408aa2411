// SPDX-License-Identifier: Apache-2.0
//
// Calls of users' code, out of which no exception comes. Layer: streams SDK, not for users.
// Threading: pure functions.
#pragma once

#include <exception>
#include <string>
#include <string_view>

#include "base/result.h"

namespace leat::streams::detail {

[[nodiscard]] inline Error thrown_error(std::string_view who, std::string_view what) {
    return {Errc::kUnknownServerError, std::string{who}.append(": ").append(what)};
}

/// On its way from a user's function that answered a Result to guarded(), past what lies between
/// and has no place for an error: reducers, joiners, tables that are computed.
struct Refusal {
    Error error;
};

/// `call`, which runs what a user wrote; what that throws becomes an error in the name of `who`.
/// Errors: kUnknownServerError, and those of the call.
template <class Call>
auto guarded(std::string_view who, const Call& call) -> decltype(call()) {
    try {
        return call();
    } catch (const Refusal& refused) {
        return Error{refused.error.code(),
                     std::string{who}.append(": ").append(refused.error.detail())};
    } catch (const std::exception& thrown) {
        return thrown_error(who, thrown.what());
    } catch (...) {  // tidy: right here, a user's function may throw anything.
        return thrown_error(who, "an exception that is no std::exception");
    }
}

}  // namespace leat::streams::detail
