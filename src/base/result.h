// SPDX-License-Identifier: Apache-2.0
//
// Result<T>: how a fallible function reports an operating error. Layer: base (L0).
// The names are a subset of std::expected. A type of its own, because std::expected is not
// [[nodiscard]] and libstdc++ 12 gives it no monadic operations.
#pragma once

#include <concepts>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/check.h"
#include "base/errc.h"

namespace leat {

/// Code plus optional human detail. 16 bytes, move-only; allocates only when a detail is given.
/// Threading: not synchronised.
class Error {
  public:
    explicit Error(Errc code) noexcept : code_(code) {}
    Error(Errc code, std::string_view detail)
        : code_(code), detail_(std::make_unique<std::string>(detail)) {}

    [[nodiscard]] Errc code() const noexcept { return code_; }
    [[nodiscard]] std::string_view detail() const noexcept {
        return detail_ ? std::string_view{*detail_} : std::string_view{};
    }

  private:
    Errc code_;
    std::unique_ptr<std::string> detail_;
};

/// Either a `T` or an `Error`. Reading the wrong side is a programmer error and aborts.
/// Threading: not synchronised.
template <class T>
class [[nodiscard]] Result {
  public:
    template <class U = T>
        requires std::convertible_to<U&&, T> && (!std::same_as<std::remove_cvref_t<U>, Result>)
    // NOLINTNEXTLINE(google-explicit-constructor)
    Result(U&& value) : state_(std::in_place_index<0>, std::forward<U>(value)) {}
    // NOLINTNEXTLINE(google-explicit-constructor)
    Result(Error error) noexcept : state_(std::in_place_index<1>, std::move(error)) {}

    [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    [[nodiscard]] T& operator*() & { return get<0>(state_); }
    [[nodiscard]] const T& operator*() const& { return get<0>(state_); }
    [[nodiscard]] T&& operator*() && { return std::move(get<0>(state_)); }
    [[nodiscard]] T* operator->() { return &get<0>(state_); }
    [[nodiscard]] const T* operator->() const { return &get<0>(state_); }
    [[nodiscard]] const Error& error() const& { return get<1>(state_); }
    [[nodiscard]] Error&& error() && { return std::move(get<1>(state_)); }

  private:
    template <std::size_t I>
    static auto& get(auto& state) {
        LEAT_CHECK(state.index() == I);
        return *std::get_if<I>(&state);
    }
    std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
  public:
    Result() noexcept = default;
    // NOLINTNEXTLINE(google-explicit-constructor)
    Result(Error error) noexcept : error_(std::move(error)) {}

    [[nodiscard]] bool has_value() const noexcept { return !error_.has_value(); }
    explicit operator bool() const noexcept { return has_value(); }
    [[nodiscard]] const Error& error() const& {
        LEAT_CHECK(error_.has_value());
        return *error_;
    }
    [[nodiscard]] Error&& error() && {
        LEAT_CHECK(error_.has_value());
        return *std::move(error_);
    }

  private:
    std::optional<Error> error_;
};

/// Drops a result on purpose; `why` is for the reader.
template <class T>
void ignore(Result<T>&& /*result*/, std::string_view /*why*/) {}
inline void ignore(Errc /*code*/, std::string_view /*why*/) {}

}  // namespace leat

// NOLINTBEGIN(bugprone-macro-parentheses): `decl` is a declaration.
#define LEAT_CAT2(a, b) a##b
#define LEAT_CAT(a, b) LEAT_CAT2(a, b)
#define LEAT_TRY_IMPL(tmp, ret, decl, expr) \
    auto&& tmp = (expr);                    \
    if (!tmp) [[unlikely]]                  \
        ret std::move(tmp).error();         \
    decl = *std::move(tmp)
/// LEAT_TRY(auto x, f()); declares x from f(), or returns f()'s error.
#define LEAT_TRY(decl, expr) LEAT_TRY_IMPL(LEAT_CAT(try_, __COUNTER__), return, decl, expr)
/// The same inside a coroutine; `expr` may contain co_await.
#define LEAT_CO_TRY(decl, expr) LEAT_TRY_IMPL(LEAT_CAT(try_, __COUNTER__), co_return, decl, expr)
#define LEAT_TRY_VOID_IMPL(tmp, ret, expr)      \
    if (auto&& tmp = (expr); !tmp) [[unlikely]] \
    ret std::move(tmp).error()
#define LEAT_TRY_VOID(expr) LEAT_TRY_VOID_IMPL(LEAT_CAT(try_, __COUNTER__), return, expr)
#define LEAT_CO_TRY_VOID(expr) LEAT_TRY_VOID_IMPL(LEAT_CAT(try_, __COUNTER__), co_return, expr)
// NOLINTEND(bugprone-macro-parentheses)
