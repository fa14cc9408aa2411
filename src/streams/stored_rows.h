// SPDX-License-Identifier: Apache-2.0
//
// What stands in a store, of whatever kind. Layer: streams (L6).
// Threading: the store's task's.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "leat/streams/detail/state_store.h"
#include "leat/streams/test_driver.h"

namespace leat::streams::detail {

/// As TestDriver::stored(). Errors: kIoError.
Result<std::vector<StoredRow>> stored_rows(const StateStore& store);
/// As TestDriver::stored_at(). Errors: kInvalidRequest: not a versioned store; kIoError.
Result<std::optional<StoredRow>> stored_version(const StateStore& store, std::string_view key,
                                                std::int64_t at);

}  // namespace leat::streams::detail
