// SPDX-License-Identifier: Apache-2.0
//
// Options of RocksDB that a user sets, as text (leat.rocksdb.options). Layer: streams (L6).
// Spec:  RocksDB's option strings, NAME=VALUE;NAME={NAME=VALUE}; this header needs none of
//        RocksDB's.
#pragma once

#include <string>

#include "base/result.h"

namespace leat::streams::detail {

/// Errors: kInvalidSetting: RocksDB does not take it and says why, or would open no database with
/// it, or the state rests on one of the options.
Result<void> check_rocksdb_options(const std::string& text);

}  // namespace leat::streams::detail
