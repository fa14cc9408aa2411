// SPDX-License-Identifier: Apache-2.0
#include "interpreter.h"

namespace leat::streams::cases {
namespace {

Made source(const Context& context, const Op& op) {
    const auto consumed = op.consumed();
    if (op.has("pattern"))
        return context.builder.stream<Value, Value>(TopicPattern{op.get("pattern")}, consumed);
    if (op.verb() == "stream") {
        std::vector<std::string> topics;
        for (const auto& topic : op.fields.at("topics").as_array())
            topics.emplace_back(topic.as_string());
        return context.builder.stream<Value, Value>(topics, consumed);
    }
    if (op.verb() == "global_store") {
        add_global_store(context.builder, op);
        return {};
    }
    auto as = op.kept<Value>();
    as.name.clear();
    if (op.verb() == "global")
        return context.builder.global_table<Value, Value>(op.get("topic"), consumed, as);
    if (op.verb() != "table") throw Unsupported{op.verb()};
    return context.builder.table<Value, Value>(op.get("topic"), consumed, as);
}

struct Next {
    const Context& context;
    const Op& op;

    Made operator()(std::monostate /*nothing*/) const { throw Unsupported{op.verb()}; }
    template <class K, class V>
    Made operator()(const KStream<K, V>& stream) const {
        return on_stream(context, op, stream);
    }
    template <class K, class V>
    Made operator()(const KTable<K, V>& table) const {
        return on_table(context, op, table);
    }
    Made operator()(const GlobalKTable<Value, Value>& /*table*/) const {
        throw Unsupported{op.verb()};
    }
    Made operator()(const Branches& branches) const {
        // "branch" is what stands behind the name of the split: a number or a letter.
        for (const auto& [name, stream] : branches)
            if (name.ends_with(op.get("branch"))) return stream;
        throw Unsupported{op.verb()};
    }
    template <class G>
    Made operator()(const G& group) const {
        return on_group(context, op, group);
    }
};

}  // namespace

void declare(const json::array& ops, Builder& builder, const std::shared_ptr<Effects>& effects) {
    std::vector<Made> made;
    const Context context{builder, effects, made};
    for (const auto& fields : ops) {
        const Op op{fields.as_object(), static_cast<std::int64_t>(made.size())};
        Made next = op.place("from") < 0 ? source(context, op)
                                         : std::visit(Next{context, op}, context.at(op, "from"));
        made.push_back(std::move(next));
    }
}

}  // namespace leat::streams::cases
