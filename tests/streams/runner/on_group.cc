// SPDX-License-Identifier: Apache-2.0
#include "interpreter.h"

namespace leat::streams::cases {
namespace {

auto adder(const Op& op) {
    return [f = op.get("f")](const Value& /*key*/, const Value* value, const Value& sum) {
        return added(f, maybe(value), sum);
    };
}
auto merger(const Op& op) {
    return [f = op.get("f")](const Value& /*key*/, const Value& a, const Value& b) {
        return united(f, a, b);
    };
}
auto initializer(const Op& op) {
    return [f = op.get("f")] { return initial(f); };
}

template <class G>
Made windowed(const Op& op, const G& group) {
    const std::string window = op.get("window");
    if (window == "time") {
        const auto advance = op.has("advance") ? op.ms("advance") : op.ms("size");
        return group.windowed(hopping(op.ms("size"), advance).grace(op.ms("grace")));
    }
    if (window == "sliding") return group.windowed(sliding(op.ms("size")).grace(op.ms("grace")));
    if (window == "session") return group.windowed(session(op.ms("size")).grace(op.ms("grace")));
    if (window == "unlimited") return group.windowed(UnlimitedWindows{op.number("start")});
    throw Unsupported{"window " + window};
}

/// count, reduce and aggregate are the same words on every grouped stream.
template <class G>
Made gathered(const Op& op, const G& group) {
    const std::string verb = op.verb();
    if (verb == "count") return group.count(op.kept<std::int64_t>());
    if (verb == "reduce")
        return group.reduce(
            [f = op.get("f")](const Value& a, const Value& b) { return reduced(f, a, b); },
            op.kept<Value>());
    if (verb != "aggregate") throw Unsupported{verb};
    if constexpr (std::is_same_v<G, BySessions>)
        return group.aggregate(initializer(op), adder(op), merger(op), op.kept<Value>());
    else
        return group.aggregate(initializer(op), adder(op), op.kept<Value>());
}

}  // namespace

Made on_group(const Context& /*context*/, const Op& op, const KGroupedStream<Value, Value>& group) {
    if (op.verb() == "windowed") return windowed(op, group);
    if (op.verb() == "cogroup") return group.cogroup<Value>(adder(op));
    return gathered(op, group);
}

template <class W>
Made on_group(const Context& /*context*/, const Op& op,
              const TimeWindowedKStream<Value, Value, W>& group) {
    if (op.verb() == "emit_on_close") return group.emit(Emit::kOnWindowClose);
    return gathered(op, group);
}
template Made on_group(const Context&, const Op&, const ByTime&);
template Made on_group(const Context&, const Op&, const BySlides&);
template Made on_group(const Context&, const Op&, const WithoutEnd&);

Made on_group(const Context& /*context*/, const Op& op, const BySessions& group) {
    if (op.verb() == "emit_on_close") return group.emit(Emit::kOnWindowClose);
    return gathered(op, group);
}

Made on_group(const Context& context, const Op& op, const Cogrouped& group) {
    if (op.verb() == "windowed") return windowed(op, group);
    if (op.verb() == "cogroup")
        return group.cogroup(std::get<KGroupedStream<Value, Value>>(context.at(op, "with")),
                             adder(op));
    if (op.verb() != "aggregate") throw Unsupported{op.verb()};
    return group.aggregate(initializer(op), op.kept<Value>());
}

template <class W>
Made on_group(const Context& /*context*/, const Op& op,
              const TimeWindowedCogroupedKStream<Value, Value, W>& group) {
    if (op.verb() != "aggregate") throw Unsupported{op.verb()};
    return group.aggregate(initializer(op), op.kept<Value>());
}
template Made on_group(const Context&, const Op&, const CogroupedBy<TimeWindows>&);
template Made on_group(const Context&, const Op&, const CogroupedBy<SlidingWindows>&);
template Made on_group(const Context&, const Op&, const CogroupedBy<UnlimitedWindows>&);

Made on_group(const Context& /*context*/, const Op& op, const CogroupedBySessions& group) {
    if (op.verb() != "aggregate") throw Unsupported{op.verb()};
    return group.aggregate(initializer(op), merger(op), op.kept<Value>());
}

Made on_group(const Context& /*context*/, const Op& op, const KGroupedTable<Value, Value>& group) {
    const std::string f = op.get("f");
    if (op.verb() == "count") return group.count(op.kept<std::int64_t>());
    const auto reducer = [](const std::string& name) {
        return [name](const Value& a, const Value& b) { return reduced(name, a, b); };
    };
    if (op.verb() == "reduce") return group.reduce(reducer(f), reducer("minus"), op.kept<Value>());
    if (op.verb() != "aggregate") throw Unsupported{op.verb()};
    const auto adds = [f](const Value& /*key*/, const Value& value, const Value& sum) {
        return added(f, value, sum);
    };
    const auto subtracts = [f](const Value& /*key*/, const Value& value, const Value& sum) {
        return subtracted(f, value, sum);
    };
    return group.aggregate(initializer(op), adds, subtracts, op.kept<Value>());
}

}  // namespace leat::streams::cases
