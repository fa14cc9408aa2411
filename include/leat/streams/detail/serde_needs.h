// SPDX-License-Identifier: Apache-2.0
//
// Says which serde is missing, and what to do about it. Layer: streams SDK, not for users.
// Threading: pure functions.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <typeinfo>

#include "leat/streams/serde.h"

namespace leat::streams::detail {

/// A serde that an operator cannot do without.
struct SerdeNeed {
    std::string_view of;      ///< "its key"
    std::string_view member;  ///< Where it may be given: "Consumed::key".
    const std::type_info* type = nullptr;
    bool is_given = false;
};
template <class T>
[[nodiscard]] SerdeNeed need(std::string_view of, std::string_view member, const Serde<T>& serde) {
    return {of, member, &typeid(T), serde != nullptr};
}

/// Which are missing, of what types, and how to give them; empty: none is.
[[nodiscard]] std::string missing_serdes(std::initializer_list<SerdeNeed> needs);
/// The name of a type as it is written in a program.
[[nodiscard]] std::string type_name(const std::type_info& type);

/// Notes what is missing as a mistake of the operator. To: Graph or Parts.
template <class To>
void require_serdes(To& to, std::string_view name, std::initializer_list<SerdeNeed> needs) {
    const std::string mistake = missing_serdes(needs);
    to.require(name, mistake.empty(), mistake);
}

/// The same of a store that is declared: StoreRef of stores.h.
template <class To, class Ref>
void require_serdes(To& to, const Ref& store) {
    require_serdes(to, store.spec.name,
                   {need("the store's key", "its declaration", store.key),
                    need("the store's value", "its declaration", store.value)});
}

}  // namespace leat::streams::detail
