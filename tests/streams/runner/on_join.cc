// SPDX-License-Identifier: Apache-2.0
#include "interpreter.h"

namespace leat::streams::cases {
namespace {

template <class F>
Made joined_by(const Context& context, const Op& op, const KStream<Value, Value>& stream,
               const F& joiner) {
    const bool inner = op.get("kind") == "inner";
    const Made& with = context.at(op, "with");
    if (const auto* table = std::get_if<KTable<Value, Value>>(&with)) {
        Joined<Value, Value> as{.name = op.name()};
        if (op.has("grace")) as.grace = op.ms("grace");
        return inner ? stream.join(*table, joiner, as) : stream.left_join(*table, joiner, as);
    }
    if (const auto* table = std::get_if<GlobalKTable<Value, Value>>(&with)) {
        const auto key = [k = op.get("k")](const Value* own, const Value* value) {
            return key_of(k, maybe(own), maybe(value));
        };
        const Named named{op.name()};
        return inner ? stream.join(*table, key, joiner, named)
                     : stream.left_join(*table, key, joiner, named);
    }
    const auto* other = std::get_if<KStream<Value, Value>>(&with);
    if (other == nullptr) throw Unsupported{"join"};
    const JoinWindows windows{op.ms("before"), op.ms("after"), op.ms("grace")};
    StreamJoined<Value, Value, Value> as;
    as.name = op.name();
    as.store = op.get("store");
    if (inner) return stream.join(*other, joiner, windows, as);
    if (op.get("kind") == "left") return stream.left_join(*other, joiner, windows, as);
    return stream.outer_join(*other, joiner, windows, as);
}

}  // namespace

Made on_join(const Context& context, const Op& op, const KStream<Value, Value>& stream) {
    const std::string f = op.get("f");
    if (op.flag("key_ref"))
        return joined_by(context, op, stream,
                         [f](const Value& key, const Value* left, const Value* right) {
                             return joined(f, text(&key), maybe(left), maybe(right));
                         });
    if (f == "with_key")
        return joined_by(context, op, stream,
                         [f](const Value* key, const Value* left, const Value* right) {
                             return joined(f, text(key), maybe(left), maybe(right));
                         });
    return joined_by(context, op, stream, [f](const Value* left, const Value* right) {
        return joined(f, "", maybe(left), maybe(right));
    });
}

}  // namespace leat::streams::cases
