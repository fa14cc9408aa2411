// SPDX-License-Identifier: Apache-2.0
#include "interpreter.h"

namespace leat::streams::cases {
namespace {

using Pair = KeyValue<Value, Value>;

template <class K, class V>
Made print(const Context& context, const Op& op, const KStream<K, V>& stream) {
    Printed<K, V> as{.name = op.name(), .label = op.get("label")};
    as.out = [effects = context.effects](std::string_view line) {
        if (line.ends_with('\n')) line.remove_suffix(1);
        effects->printed.emplace_back(effects->step, line);
    };
    if (op.has("f"))
        as.mapper = [f = op.get("f")](const K* key, const V* value) {
            return text(address(mapped(f, text(key), maybe(value))));
        };
    stream.print(as);
    return {};
}

/// The operators that every stream has, whatever its types.
template <class K, class V>
Made on_any(const Context& context, const Op& op, const KStream<K, V>& stream) {
    const std::string verb = op.verb();
    const std::string f = op.get("f");
    const Named named{op.name()};
    const auto passes = [f](const K* key, const V* value) {
        return holds(f, key != nullptr, text(key), maybe(value));
    };
    if (verb == "filter") return stream.filter(passes, named);
    if (verb == "filter_not") return stream.filter_not(passes, named);
    if (verb == "map_values")
        return stream.map_values(
            [f](const K* key, const V* value) { return mapped(f, text(key), maybe(value)); },
            named);
    if (verb == "select_key")
        return stream.select_key(
            [f](const K* key, const V* value) { return key_of(f, maybe(key), maybe(value)); },
            named);
    const auto note = [effects = context.effects, at = op.index](const K* key, const V* value) {
        effects->seen.push_back({effects->step, at, text(key), maybe(value)});
    };
    if (verb == "peek") return stream.peek(note, named);
    if (verb == "foreach") {
        stream.foreach (note, named);
        return {};
    }
    if (verb == "merge")
        return stream.merge(std::get<KStream<K, V>>(context.at(op, "with")), named);
    if (verb == "print") return print(context, op, stream);
    if (verb != "to") throw Unsupported{verb};
    Produced<K, V> produced{.name = op.name(), .partitioner = partitioner_of<K, V>(op)};
    if constexpr (std::is_same_v<V, Value>)
        if (op.flag("strict")) produced.value = std::make_shared<StrictCodec>();
    if (op.has("topic_of")) {
        const auto topic = [](const K* /*key*/, const V* value) {
            const std::string shown = text(value);
            return "out-" + (value == nullptr || shown.empty() ? "none" : shown.substr(0, 1));
        };
        stream.to(topic, produced);
    } else {
        stream.to(op.get("topic"), produced);
    }
    return {};
}

/// The older form of split(), which hands out the branches by their number.
Made older_split(const json::array& branches, const KStream<Value, Value>& stream) {
    const auto test = [&branches](std::size_t at) {
        return [f = std::string{branches.at(at).as_array().at(0).as_string()}](const Value* key,
                                                                               const Value* value) {
            return holds(f, key != nullptr, text(key), maybe(value));
        };
    };
    const auto made = branches.size() == 1   ? stream.branch(test(0))
                      : branches.size() == 2 ? stream.branch(test(0), test(1))
                                             : stream.branch(test(0), test(1), test(2));
    Branches out;
    for (std::size_t i = 0; i < made.size(); ++i) out.emplace(std::to_string(i + 1), made[i]);
    return out;
}

Made split(const Op& op, const KStream<Value, Value>& stream) {
    if (op.flag("older")) return older_split(op.fields.at("branches").as_array(), stream);
    auto parts = stream.split({op.name()});
    for (const auto& one : op.fields.at("branches").as_array()) {
        const auto& fields = one.as_array();
        const auto test = [f = std::string{fields.at(0).as_string()}](const Value* key,
                                                                      const Value* value) {
            return holds(f, key != nullptr, text(key), maybe(value));
        };
        Branched<Value, Value> as;
        if (fields.size() > 1) as.name = std::string{fields.at(1).as_string()};
        parts.branch(test, as);
    }
    return op.flag("default") ? parts.default_branch() : parts.no_default_branch();
}

/// With functions that take the key by reference, which makes nothing else of a null key: they have
/// names that do not look at what it holds.
Made by_reference(const Op& op, const KStream<Value, Value>& stream) {
    const std::string f = op.get("f");
    const std::string k = op.get("k");
    const Named named{op.name()};
    const auto select = [f](const Value& key, const Value* value) {
        return key_of(f, key, maybe(value));
    };
    if (op.verb() == "select_key") return stream.select_key(select, named);
    if (op.verb() == "group_by") return stream.group_by(select, {.name = op.name()});
    if (op.verb() == "map")
        return stream.map(
            [f, k](const Value& key, const Value* value) {
                return Pair{key_of(k, key, maybe(value)), mapped(f, "", maybe(value))};
            },
            named);
    return stream.flat_map(
        [f, k](const Value& key, const Value* value) {
            std::vector<Pair> out;
            for (const Maybe& one : list_of(f, maybe(value)))
                out.push_back({key_of(k, key, one), one});
            return out;
        },
        named);
}

Made on_values(const Context& context, const Op& op, const KStream<Value, Value>& stream) {
    const std::string verb = op.verb();
    const std::string f = op.get("f");
    const std::string k = op.get("k");
    const Named named{op.name()};
    if (verb == "flat_map_values")
        return stream.flat_map_values([f](const Value* value) { return list_of(f, maybe(value)); },
                                      named);
    if (verb == "join") return on_join(context, op, stream);
    if (op.flag("key_ref")) return by_reference(op, stream);
    if (verb == "map")
        return stream.map(
            [f, k](const Value* key, const Value* value) {
                return Pair{key_of(k, maybe(key), maybe(value)),
                            mapped(f, text(key), maybe(value))};
            },
            named);
    if (verb == "flat_map")
        return stream.flat_map(
            [f, k](const Value* key, const Value* value) {
                std::vector<Pair> out;
                for (const Maybe& one : list_of(f, maybe(value)))
                    out.push_back({key_of(k, maybe(key), one), one});
                return out;
            },
            named);
    if (verb == "to_table") return stream.to_table(op.kept<Value>());
    if (verb == "split") return split(op, stream);
    if (verb == "repartition") {
        Repartitioned<Value, Value> as{.name = op.name()};
        if (op.has("partitions"))
            as.partitions = static_cast<std::int32_t>(op.number("partitions"));
        as.partitioner = partitioner_of<Value, Value>(op);
        return stream.repartition(as);
    }
    if (verb == "through")
        return stream.through(op.get("topic"),
                              {.name = op.name(), .partitioner = partitioner_of<Value, Value>(op)});
    if (verb.starts_with("process")) return on_process(context, op, stream);
    if (verb == "look_up") return on_look_up(context, op, stream);
    const Grouped<Value, Value> grouped{.name = op.name()};
    if (verb == "group_by_key") return stream.group_by_key(grouped);
    if (verb == "group_by")
        return stream.group_by(
            [f](const Value* key, const Value* value) {
                return key_of(f, maybe(key), maybe(value));
            },
            grouped);
    return on_any(context, op, stream);
}

}  // namespace

template <class K, class V>
Made on_stream(const Context& context, const Op& op, const KStream<K, V>& stream) {
    return on_any(context, op, stream);
}
template <>
Made on_stream(const Context& context, const Op& op, const KStream<Value, Value>& stream) {
    return on_values(context, op, stream);
}
template Made on_stream(const Context&, const Op&, const KStream<Value, std::int64_t>&);
template Made on_stream(const Context&, const Op&, const KStream<WindowKey, Value>&);
template Made on_stream(const Context&, const Op&, const KStream<WindowKey, std::int64_t>&);

}  // namespace leat::streams::cases
