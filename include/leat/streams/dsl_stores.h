// SPDX-License-Identifier: Apache-2.0
//
// Where the stores of the DSL's operators are that say nothing about it. Layer: streams SDK.
// Spec:  Kafka Streams' DslStoreSuppliers (KIP-954), of which it has two: RocksDB and in memory.
// Threading: plain values.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "leat/streams/record.h"

namespace leat::streams {

enum class StoreType : std::uint8_t { kRocksDb, kInMemory };

/// A store that an operator is about to get.
struct DslStore {
    enum class Kind : std::uint8_t { kKeyValue, kWindow, kSession };
    std::string_view name{};
    Kind kind = Kind::kKeyValue;
    Duration retention{};  ///< Of windows and sessions.
    Duration window{};     ///< The size of windows.
};

/// Called once a store when an application or a test driver is opened. Empty: as the settings say.
using DslStores = std::function<StoreType(const DslStore& store)>;

}  // namespace leat::streams
