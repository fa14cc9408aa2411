// SPDX-License-Identifier: Apache-2.0
//
// An append on its way through a partition. Layer: storage (L3).
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "base/result.h"
#include "rt/disk.h"
#include "storage/batch_admission.h"
#include "storage/types.h"

namespace leat::storage {

/// From the batch that came to its answer.
/// Threading: not synchronised; one thread at a time.
struct Append {
    Append(MutableBytes bytes, AdmissionRules of) : batch(bytes), rules(std::move(of)) {}

    MutableBytes batch;
    AdmissionRules rules;
    TransactionGuard guard = {};
    std::int16_t transaction_version = 0;  ///< Of a marker's coordinator.
    Result<Admitted> admitted = Error{Errc::kNone};
    /// Holds index entries that were owed and are written now.
    std::shared_ptr<rt::File> aborted_file = {};
    Appended answer;
    bool is_duplicate = false;  ///< Nothing is to be written.
    Offset wait_for{-1};        ///< The answer is due once everything below is durable.
};

}  // namespace leat::storage
