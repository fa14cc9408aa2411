// SPDX-License-Identifier: Apache-2.0
//
// What a struct consists of, said once: documents of several kinds are made from it. Layer: streams
// SDK.
//
//     struct Order {
//         std::string customer;
//         std::int64_t cents = 0;
//         std::optional<std::string> note;
//         std::vector<Item> items;
//     };
//     template <>
//     struct leat::streams::Members<Order> {
//         static constexpr auto list = members_of(
//             member("customer", &Order::customer), member("cents", &Order::cents).or_default(),
//             member("note", &Order::note), member("items", &Order::items));
//     };
//
// Threading: constants.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>

namespace leat::streams {

/// A member of S and its name in documents. Without it a document is refused, but when it is a
/// std::optional, which is null then, or when its struct's own value stands for it.
template <class S, class T>
struct Member {
    using Type = T;
    std::string_view name;
    T S::* at;
    bool has_default = false;
    /// Where a document has no such member, the value that S{} has stays.
    [[nodiscard]] constexpr Member or_default() const { return {name, at, true}; }
};
template <class S, class T>
[[nodiscard]] constexpr Member<S, T> member(std::string_view name, T S::* at) {
    return {name, at};
}
template <class... M>
[[nodiscard]] constexpr std::tuple<M...> members_of(M... members) {
    return {members...};
}

/// Specialise it for your struct, which must have a default constructor.
template <class S>
struct Members;
template <class S>
concept Described =
    requires { std::tuple_size<std::remove_cvref_t<decltype(Members<S>::list)>>{}; };

/// The names of an enumeration's values:
///     template <> struct leat::streams::Enumerators<Kind> {
///         static constexpr auto list = enumerators_of(named("view", Kind::kView), ...);
///     };
template <class E>
struct Enumerator {
    std::string_view name;
    E value;
};
template <class E>
[[nodiscard]] constexpr Enumerator<E> named(std::string_view name, E value) {
    return {name, value};
}
template <class E, class... More>
[[nodiscard]] constexpr std::array<Enumerator<E>, 1 + sizeof...(More)> enumerators_of(
    Enumerator<E> first, More... more) {
    return {first, more...};
}
template <class E>
struct Enumerators;
template <class E>
concept Enumerated = std::is_enum_v<E> && requires { Enumerators<E>::list.size(); };

}  // namespace leat::streams
