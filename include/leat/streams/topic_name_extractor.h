// SPDX-License-Identifier: Apache-2.0
//
// Which topic a record goes to, where a sink chooses that record by record. Layer: streams SDK.
// Spec:  Kafka Streams' TopicNameExtractor and RecordContext.
// Threading: each task calls a copy of its own; what the copies share must be safe to use from
// several threads.
//
//     stream.to([](const std::string*, const Order*, const RecordContext& context) {
//         for (const Header& header : *context.headers)
//             if (header.name == "region" && header.value) return "orders-" + *header.value;
//         return std::string{"orders"};
//     });
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/result.h"
#include "leat/streams/detail/invoke.h"
#include "leat/streams/record.h"

namespace leat::streams {

/// What is known of a record on its way out beside key and value.
/// Memory: it points to the record, which lives while the function runs.
struct RecordContext {
    /// Where the record was read that it comes of, the topic by its name on the cluster; empty and
    /// -1 in what a punctuation forwards.
    std::string_view topic{};
    std::int32_t partition = -1;
    std::int64_t offset = -1;
    Timestamp timestamp{};             ///< With which it goes out.
    const Headers* headers = nullptr;  ///< The same. Never null in a call.
};

/// Names the topic of a record, which must exist. Made of a function of (key, value), or of (key,
/// value, context): both by pointer to const, null for null, and a RecordContext. It answers a text
/// or a Result of one; its error, as what it throws, is the processing handler's business.
template <class K, class V>
class TopicNameExtractor {
  public:
    using Function = std::function<std::string(const K*, const V*, const RecordContext&)>;
    TopicNameExtractor() = default;
    /// A text is no function: it is the topic of all records.
    template <class F>
        requires(!std::is_same_v<std::remove_cvref_t<F>, TopicNameExtractor> &&
                 !std::is_convertible_v<F, std::string>)
    TopicNameExtractor(F function)  // NOLINT(google-explicit-constructor): an argument of to().
        : function_(adapt(std::move(function))) {}
    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(function_); }
    std::string operator()(const K* key, const V* value, const RecordContext& context) const {
        return function_(key, value, context);
    }

  private:
    template <class F, class... Args>
    static std::string name(F& function, const Args&... args) {
        static_assert(std::is_constructible_v<std::string, detail::AnswerOf<F&, const Args&...>>,
                      "a function that names a topic yields its name, or a Result of it");
        return std::string(detail::ask(function, args...));
    }
    template <class F>
    static Function adapt(F function) {
        static_assert(detail::Copyable<F>::value);
        if constexpr (std::is_invocable_v<F&, const K*, const V*, const RecordContext&>) {
            return [function](const K* key, const V* value, const RecordContext& context) mutable {
                return name(function, key, value, context);
            };
        } else if constexpr (std::is_invocable_v<F&, const K*, const V*>) {
            return [function](const K* key, const V* value, const RecordContext&) mutable {
                return name(function, key, value);
            };
        } else {
            static_assert(detail::kNever<F>,
                          "a function that names a topic takes (key, value) or (key, value, "
                          "context): key and value by pointer to const, the context as const "
                          "RecordContext&");
            return {};
        }
    }
    Function function_;
};

}  // namespace leat::streams
