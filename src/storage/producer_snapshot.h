// SPDX-License-Identifier: Apache-2.0
//
// Producers' state as files: Kafka's ".snapshot" and the window of older batches beside it. Pure.
// Layer: storage (L3).
// Spec:  Kafka's ProducerSnapshot, version 1; docs/reference/formats/producer-window.md.
#pragma once

#include <cstddef>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "storage/producer_state.h"

namespace leat::storage {

/// Kafka's file: the newest batch of each producer, by id.
std::vector<std::byte> encode_snapshot(const ProducerEntries& entries);
/// `last_write` of what it returns is the last timestamp.
/// Errors: kMalformed (length, checksum or version do not fit, an id twice).
Result<ProducerEntries> decode_snapshot(Bytes file);

/// Our file for a snapshot taken at `at`: for each producer its last write and the batches before
/// its newest.
std::vector<std::byte> encode_window(const ProducerEntries& entries, Offset at);
/// Adds to `entries`, which decode_snapshot() gave, what the window has of the same producers and
/// epochs. Errors: kMalformed (length, checksum, version, another offset); `entries` is untouched.
Result<void> decode_window(Bytes file, Offset at, ProducerEntries& entries);

}  // namespace leat::storage
