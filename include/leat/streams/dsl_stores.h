// SPDX-License-Identifier: Apache-2.0
//
// Where the stores of the DSL's operators are that say nothing about it. Layer: streams SDK.
// Spec:  Kafka Streams' DslStoreSuppliers (KIP-954).
// Threading: plain values.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>

#include "leat/streams/record.h"
#include "leat/streams/store_suppliers.h"

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

/// What an operator gets: a store of one of the types, or of one's own making. Of a supplier's
/// times and name nothing counts, the operator has its own.
struct DslStoreChoice {
    // NOLINTBEGIN(google-explicit-constructor): each stands for the choice.
    DslStoreChoice(StoreType of) : type(of) {}
    DslStoreChoice(KeyValueBytesStoreSupplier one) : own(std::move(one)) {}
    DslStoreChoice(WindowBytesStoreSupplier one) : own(std::move(one)) {}
    DslStoreChoice(SessionBytesStoreSupplier one) : own(std::move(one)) {}
    // NOLINTEND(google-explicit-constructor)
    StoreType type = StoreType::kRocksDb;
    StoreSupplier own{};
};

/// Called once a store when an application or a test driver is opened. Empty: as the settings say.
using DslStores = std::function<DslStoreChoice(const DslStore& store)>;

}  // namespace leat::streams
