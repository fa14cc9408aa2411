// SPDX-License-Identifier: Apache-2.0
//
// What a supplier says of a store that is declared. Layer: streams SDK, not for users.
// Threading: pure functions.
#pragma once

#include "leat/streams/detail/state_store.h"
#include "leat/streams/store_suppliers.h"

namespace leat::streams::detail {

/// The store is one that `from` makes, if that is given.
inline void supply_store(StoreSpec& spec, const StoreSupplier& from) {
    if (!from) return;
    spec.own = from;
    spec.persistent = from.traits().persistent;
    spec.by_setting = false;
    if (const auto* windows = from.as<WindowBytesStoreSupplier>()) {
        spec.retention_ms = windows->retention_period.count();
        spec.window_ms = windows->window_size.count();
        spec.retain_duplicates = windows->retain_duplicates;
        if (windows->segment_interval) spec.segment_ms = windows->segment_interval->count();
    } else if (const auto* sessions = from.as<SessionBytesStoreSupplier>()) {
        spec.retention_ms = sessions->retention_period.count();
        if (sessions->segment_interval) spec.segment_ms = sessions->segment_interval->count();
    }
}

}  // namespace leat::streams::detail
