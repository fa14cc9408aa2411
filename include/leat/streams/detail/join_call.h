// SPDX-License-Identifier: Apache-2.0
//
// Calls a user's joiner. Layer: streams SDK, not for users.
// A side that is always there may be taken by const reference; one that may be absent is taken by
// pointer to const. The key may come first: by pointer it is null when the record has none, by
// const reference it is K{}, as in invoke.h. Threading: pure functions.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include "leat/streams/detail/invoke.h"

namespace leat::streams::detail {

/// Which side of a join may be absent.
enum class Absent : std::uint8_t { kNone, kRight, kBoth };

template <Absent kAbsent, class F, class K, class A, class B>
struct JoinCall {
    // One form after the other: of a generic function not all compile.
    template <class L, class R>
    using Takes =
        std::disjunction<std::is_invocable<F&, L, R>, std::is_invocable<F&, const K&, L, R>,
                         std::is_invocable<F&, const K*, L, R>>;
    static constexpr bool left_by_reference =
        kAbsent != Absent::kBoth &&
        std::disjunction_v<Takes<const A&, const B&>, Takes<const A&, const B*>>;
    using Left = std::conditional_t<left_by_reference, const A&, const A*>;
    static constexpr bool right_by_reference =
        kAbsent == Absent::kNone && Takes<Left, const B&>::value;
    using Right = std::conditional_t<right_by_reference, const B&, const B*>;
    static_assert(Takes<Left, Right>::value,
                  "the joiner takes (left, right) or (key, left, right); a side that may be absent "
                  "- the right one of a left join, both of an outer join - by pointer to const");

    static auto run(F& f, const K* key, const A* left, const B* right) {
        const auto with = [&](auto&& l, auto&& r) {
            if constexpr (std::is_invocable_v<F&, Left, Right>)
                return ask(f, l, r);
            else if constexpr (std::is_invocable_v<F&, const K&, Left, Right>)
                return ask(f, key_or_empty(key), l, r);
            else
                return ask(f, key, l, r);
        };
        if constexpr (left_by_reference && right_by_reference)
            return with(*left, *right);
        else if constexpr (left_by_reference)
            return with(*left, right);
        else if constexpr (right_by_reference)
            return with(left, *right);
        else
            return with(left, right);
    }
    using Type =
        PlainOf<decltype(run(std::declval<F&>(), std::declval<const K*>(), nullptr, nullptr))>;
};

/// What a joiner yields, an optional taken off.
template <Absent kAbsent, class F, class K, class A, class B>
using JoinedTo = typename JoinCall<kAbsent, F, K, A, B>::Type;

/// The joiner with one form for all: a key or a side that is absent is null.
template <class K, class A, class B, class R>
using Joiner = std::function<std::optional<R>(const K*, const A*, const B*)>;

template <Absent kAbsent, class K, class A, class B, class F>
auto joiner_of(F f) -> Joiner<K, A, B, JoinedTo<kAbsent, F, K, A, B>> {
    static_assert(Copyable<F>::value);
    return
        [f = std::move(f)](const K* key, const A* left,
                           const B* right) mutable -> std::optional<JoinedTo<kAbsent, F, K, A, B>> {
            return JoinCall<kAbsent, F, K, A, B>::run(f, key, left, right);
        };
}

}  // namespace leat::streams::detail
