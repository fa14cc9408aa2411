// SPDX-License-Identifier: Apache-2.0
#include "interpreter.h"

namespace leat::streams::cases {

namespace {

using Table = KTable<Value, Value>;

Made on_values(const Context& context, const Op& op, const Table& table) {
    const std::string verb = op.verb();
    const std::string f = op.get("f");
    const auto as = op.kept<Value>();
    const auto passes = [f](const Value& key, const Value& value) {
        return holds(f, true, text(&key), value);
    };
    if (verb == "filter") return table.filter(passes, as);
    if (verb == "filter_not") return table.filter_not(passes, as);
    if (verb == "map_values")
        return table.map_values(
            [f](const Value& key, const Value& value) { return mapped(f, text(&key), value); }, as);
    if (verb == "transform_values")
        return table.transform_values(
            [f](const Value& key, const Value* value) {
                return mapped(f, text(&key), maybe(value));
            },
            as);
    if (verb == "group_by")
        return table.group_by(
            [f, k = op.get("k")](const Value& key, const Value& value) {
                return KeyValue<Value, Value>{key_of(k, key, value), mapped(f, text(&key), value)};
            },
            Grouped<Value, Value>{.name = op.name()});
    if (verb != "join") throw Unsupported{verb};
    const auto& other = std::get<Table>(context.at(op, "with"));
    const auto joiner = [f](const Value* left, const Value* right) {
        return joined(f, "", maybe(left), maybe(right));
    };
    if (op.has("fk")) {
        const auto foreign = [fk = op.get("fk")](const Value& key, const Value& value) {
            return key_of(fk, key, value);
        };
        const TableJoined<Value, Value> how{partitioner_of<Value, Void>(op),
                                            partitioner_of<Value, Void>(op, "other_partitioner")};
        if (op.get("kind") == "inner") return table.join_on(other, foreign, joiner, as, how);
        return table.left_join_on(other, foreign, joiner, as, how);
    }
    if (op.get("kind") == "inner") return table.join(other, joiner, as);
    if (op.get("kind") == "left") return table.left_join(other, joiner, as);
    return table.outer_join(other, joiner, as);
}

template <class K, class V>
Made suppressed(const Op& op, const KTable<K, V>& table) {
    const Named named{op.name()};
    const bool bounded = op.has("max_records") || op.has("max_bytes");
    EagerBuffer room = op.has("max_records") ? max_records(op.number("max_records"))
                                             : max_bytes(op.number("max_bytes"));
    if (op.flag("nolog")) room = room.without_logging();
    StrictBuffer strict = bounded ? room.shut_down_when_full() : unbounded();
    if (op.flag("nolog")) strict = strict.without_logging();
    if constexpr (detail::WindowedKey<K>::value)
        if (op.get("until") == "close") return table.suppress(until_window_closes(strict, named));
    if (bounded && !op.flag("strict"))
        return table.suppress(until_time_limit(op.ms("ms"), room, named));
    return table.suppress(until_time_limit(op.ms("ms"), strict, named));
}

}  // namespace

template <class K, class V>
Made on_table(const Context& context, const Op& op, const KTable<K, V>& table) {
    const std::string verb = op.verb();
    const Named named{op.name()};
    if (verb == "to_stream") {
        const std::string k = op.get("k");
        if (k.empty()) return table.to_stream(named);
        return table.to_stream(
            [k](const K* key, const V* value) { return key_of(k, maybe(key), maybe(value)); },
            named);
    }
    if (verb == "suppress") {
        return suppressed(op, table);
    }
    if constexpr (std::is_same_v<KTable<K, V>, KTable<Value, Value>>)
        return on_values(context, op, table);
    throw Unsupported{verb};
}
template Made on_table(const Context&, const Op&, const KTable<Value, Value>&);
template Made on_table(const Context&, const Op&, const KTable<Value, std::int64_t>&);
template Made on_table(const Context&, const Op&, const KTable<WindowKey, Value>&);
template Made on_table(const Context&, const Op&, const KTable<WindowKey, std::int64_t>&);

}  // namespace leat::streams::cases
