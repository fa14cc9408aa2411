// SPDX-License-Identifier: Apache-2.0
//
// Strong typedef over an arithmetic type. Layer: base (L0).
#pragma once

#include <compare>
#include <ostream>

namespace leat {

/// Value of `Rep` that only mixes with values carrying the same `Tag`.
template <class Tag, class Rep>
struct Tagged {
    Rep value{};

    friend constexpr auto operator<=>(const Tagged&, const Tagged&) = default;
    friend std::ostream& operator<<(std::ostream& out, Tagged t) { return out << t.value; }
};

}  // namespace leat
