// SPDX-License-Identifier: Apache-2.0
//
// Stores that topics fill, and processors that look what a store has; topologies that go on node by
// node.
#include "interpreter.h"
#include "leat/streams/topology_builder.h"

namespace leat::streams::cases {
namespace {

using Plain = KeyValueStore<Value, Value>;
using Timely = TimestampedKeyValueStore<Value, Value>;

Maybe shown(const Value& value) {
    return value;
}
Maybe shown(const Timed<Value>& one) {
    return text_value(text(&one.value) + "@" + std::to_string(one.timestamp.ms));
}

/// Puts what a topic has into a store, under the key and with the value that functions make of it.
template <class S>
class Filling final : public Processor<Value, Value> {
  public:
    explicit Filling(const json::object& fields) : fields_(fields) {}

  private:
    Result<void> init(ProcessorContext<Value, Value>& context) override {
        LEAT_TRY(rows_, context.store<S>(op().get("store")));
        return {};
    }
    Result<void> process(const Record<Value, Value>& record) override {
        const Maybe key = key_of(op().get("k"), record.key, record.value);
        const Maybe value = mapped(op().get("f"), text(address(record.key)), record.value);
        if (!key) return {};
        if (!value) return rows_.put(*key, std::nullopt);
        if constexpr (std::is_same_v<S, Timely>)
            return rows_.put(*key, Timed<Value>{*value, record.timestamp});
        else
            return rows_.put(*key, value);
    }
    [[nodiscard]] Op op() const { return Op{fields_, 0}; }

    json::object fields_;
    S rows_;
};

/// Joins each record with what a store has under a key that a function makes of it; with "all" also
/// with all of its rows.
template <class S>
class LookingUp final : public Processor<Value, Value> {
  public:
    explicit LookingUp(const json::object& fields) : fields_(fields) {}

  private:
    Result<void> init(ProcessorContext<Value, Value>& context) override {
        LEAT_TRY_VOID(Processor::init(context));
        LEAT_TRY(rows_, context.store<S>(op().get("store")));
        return {};
    }
    Result<void> process(const Record<Value, Value>& record) override {
        const Maybe key = key_of(op().get("k"), record.key, record.value);
        Maybe found;
        if (key) {
            LEAT_TRY(const auto row, rows_.get(*key));
            if (row) found = shown(*row);
        }
        if (op().flag("writes") && text(address(record.value)) == "x" && key)
            LEAT_TRY_VOID(rows_.put(*key, std::nullopt));
        if (op().flag("all")) {
            std::string all = text(address(found));
            LEAT_TRY_VOID(rows_.all([&all](const Value& each, const auto& row) {
                all += ";" + text(&each) + "=" + text(address(shown(row)));
                return true;
            }));
            found = text_value(all);
        }
        auto on = record;
        on.value = joined("pair", "", record.value, found);
        return context().forward(on);
    }
    [[nodiscard]] Op op() const { return Op{fields_, 0}; }

    json::object fields_;
    S rows_;
};

template <template <class> class P, class S>
auto supplier(const Op& op) {
    return [fields = op.fields] { return std::make_unique<P<S>>(fields); };
}
StoreOptions<Value, Value> options(const Op& op) {
    return {.logging = !op.flag("nolog"),
            .persistent = !op.flag("memory"),
            .caching = op.flag("cached")};
}
template <class S>
StoreRef<S> store(const Op& op) {
    if constexpr (std::is_same_v<S, Timely>)
        return timestamped_key_value_store<Value, Value>(op.get("store"), options(op));
    else
        return key_value_store<Value, Value>(op.get("store"), options(op));
}

template <class S>
void add_filled(TopologyBuilder& to, const Op& op) {
    const TopologyBuilder::Feed feed{op.name(), op.get("topic"), op.get("processor")};
    if (op.get("node") == "global")
        to.add_global_store<Value, Value>(store<S>(op), feed, supplier<Filling, S>(op));
    else
        to.add_read_only_store<Value, Value>(store<S>(op), feed, supplier<Filling, S>(op));
}

void add_node(TopologyBuilder& to, const Op& op) {
    const std::string node = op.get("node");
    TopologyBuilder::Names parents;
    if (op.has("parents"))
        for (const auto& one : op.fields.at("parents").as_array())
            parents.emplace_back(one.as_string());
    if (node == "source") {
        to.add_source<Value, Value>(op.name(), {op.get("topic")});
    } else if (node == "global" || node == "read_only") {
        op.flag("timed") ? add_filled<Timely>(to, op) : add_filled<Plain>(to, op);
    } else if (node == "look_up") {
        if (op.flag("timed"))
            to.add_processor(op.name(), supplier<LookingUp, Timely>(op), parents);
        else
            to.add_processor(op.name(), supplier<LookingUp, Plain>(op), parents);
        if (op.flag("connect")) to.connect(op.name(), {op.get("store")});
    } else if (node == "sink") {
        to.add_sink<Value, Value>(op.name(), op.get("topic"), parents,
                                  {.partitioner = partitioner_of<Value, Value>(op)});
    } else {
        throw Unsupported{node};
    }
}

}  // namespace

void add_global_store(Builder& builder, const Op& op) {
    const auto consumed = op.consumed();
    if (op.flag("timed"))
        builder.add_global_store<Value, Value>(store<Timely>(op), op.get("topic"), consumed,
                                               supplier<Filling, Timely>(op));
    else
        builder.add_global_store<Value, Value>(store<Plain>(op), op.get("topic"), consumed,
                                               supplier<Filling, Plain>(op));
}

Made on_look_up(const Context& /*context*/, const Op& op, const KStream<Value, Value>& stream) {
    Processed as{.name = op.name()};
    if (op.flag("connect")) as.stores.push_back(op.get("store"));
    if (op.flag("timed")) return stream.process(supplier<LookingUp, Timely>(op), as);
    return stream.process(supplier<LookingUp, Plain>(op), as);
}

Result<Topology> with_nodes(const Topology& topology, const json::array& nodes) {
    TopologyBuilder to{topology};
    for (const auto& one : nodes) add_node(to, Op{one.as_object(), 0});
    return to.build();
}

}  // namespace leat::streams::cases
