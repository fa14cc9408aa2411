// SPDX-License-Identifier: Apache-2.0
//
// Stores as a query of one's own reads them: see query.h. Layer: streams SDK.
// Spec:  Kafka Streams' ReadOnlyKeyValueStore, ReadOnlyWindowStore, ReadOnlySessionStore.
// Threading: good for the call that is given one; nothing changes meanwhile.
// Errors:    of all calls: kIoError, kInvalidRecord (what is stored is of another type).
#pragma once

#include "leat/streams/key_value_stores.h"
#include "leat/streams/versioned_stores.h"
#include "leat/streams/window_stores.h"

namespace leat::streams {

/// Values without a time of their own, in plain stores, have -1.
template <class K, class V>
class ReadOnlyKeyValueStore : private TimestampedKeyValueStore<K, V> {
    using Base = TimestampedKeyValueStore<K, V>;

  public:
    using Base::all;
    using Base::Base;
    using Base::count;
    using Base::get;
    using Base::prefix_scan;
    using Base::range;
    using typename Base::Key;
    using typename Base::Value;
    using typename Base::Visit;
    static constexpr bool reads(detail::StoreSpec::Kind kind) {
        return kind == detail::StoreSpec::Kind::kKeyValue ||
               kind == detail::StoreSpec::Kind::kPlainKeyValue;
    }
};

/// As ReadOnlyKeyValueStore.
template <class K, class V>
class ReadOnlyWindowStore : private TimestampedWindowStore<K, V> {
    using Base = TimestampedWindowStore<K, V>;

  public:
    using Base::all;
    using Base::Base;
    using Base::fetch;
    using Base::fetch_all;
    using Base::fetch_keys;
    using Base::get;
    using typename Base::Key;
    using typename Base::Value;
    using typename Base::Visit;
    using typename Base::VisitAll;
    static constexpr bool reads(detail::StoreSpec::Kind kind) {
        return kind == detail::StoreSpec::Kind::kWindow ||
               kind == detail::StoreSpec::Kind::kPlainWindow;
    }
};

template <class K, class V>
class ReadOnlySessionStore : private SessionStore<K, V> {
    using Base = SessionStore<K, V>;

  public:
    using Base::Base;
    using Base::fetch;
    using Base::find;
    using Base::find_ended;
    using Base::find_keys;
    using Base::get;
    using typename Base::Key;
    using typename Base::Value;
    using typename Base::Visit;
    static constexpr bool reads(detail::StoreSpec::Kind kind) {
        return kind == detail::StoreSpec::Kind::kSession;
    }
};

template <class K, class V>
class ReadOnlyVersionedKeyValueStore : private VersionedKeyValueStore<K, V> {
    using Base = VersionedKeyValueStore<K, V>;

  public:
    using Base::Base;
    using Base::get;
    using typename Base::Key;
    using typename Base::Value;
    static constexpr bool reads(detail::StoreSpec::Kind kind) {
        return kind == detail::StoreSpec::Kind::kVersioned;
    }
};

}  // namespace leat::streams
