// SPDX-License-Identifier: Apache-2.0
//
// From the operators of a case to a topology. Layer: tests/streams.
// Streams and tables of the cases have keys of Value or Windowed<Value> and values of Value or
// int64 (counts); what cannot be declared of a type is refused where the case is read.
// Threading: one thread.
#pragma once

#include <boost/json.hpp>

#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "functions.h"
#include "leat/streams/builder.h"
#include "leat/streams/cogrouped_kstream.h"
#include "leat/streams/global_ktable.h"
#include "leat/streams/kgrouped_table.h"

namespace leat::streams::cases {

namespace json = boost::json;

/// What peek and foreach saw.
struct Effect {
    std::int64_t step;
    std::int64_t op;
    std::string key;
    Maybe value;
};
struct Effects {
    std::int64_t step = -1;
    std::vector<Effect> seen;
    std::vector<std::pair<std::int64_t, std::string>> printed;  ///< Lines, with their step.
};

using WindowKey = Windowed<Value>;
using ByTime = TimeWindowedKStream<Value, Value, TimeWindows>;
using BySlides = TimeWindowedKStream<Value, Value, SlidingWindows>;
using WithoutEnd = TimeWindowedKStream<Value, Value, UnlimitedWindows>;
using BySessions = SessionWindowedKStream<Value, Value>;
using Cogrouped = CogroupedKStream<Value, Value>;
template <class W>
using CogroupedBy = TimeWindowedCogroupedKStream<Value, Value, W>;
using CogroupedBySessions = SessionWindowedCogroupedKStream<Value, Value>;
/// Of a split, by name.
using Branches = BranchedKStream<Value, Value>::Branches;
using Made =
    std::variant<std::monostate, KStream<Value, Value>, KStream<Value, std::int64_t>,
                 KStream<WindowKey, Value>, KStream<WindowKey, std::int64_t>, KTable<Value, Value>,
                 KTable<Value, std::int64_t>, KTable<WindowKey, Value>,
                 KTable<WindowKey, std::int64_t>, KGroupedStream<Value, Value>, ByTime, BySlides,
                 WithoutEnd, BySessions, Cogrouped, CogroupedBy<TimeWindows>,
                 CogroupedBy<SlidingWindows>, CogroupedBy<UnlimitedWindows>, CogroupedBySessions,
                 GlobalKTable<Value, Value>, KGroupedTable<Value, Value>, Branches>;

/// An operator that the case names and this program has no form for.
struct Unsupported : std::exception {
    explicit Unsupported(std::string_view op) : what_(op) {}
    [[nodiscard]] const char* what() const noexcept override { return what_.c_str(); }

  private:
    std::string what_;
};

/// One operator of a case, with its fields as the interpreter wants them.
struct Op {
    const json::object& fields;
    std::int64_t index;

    [[nodiscard]] std::string verb() const { return get("op"); }
    /// Empty when it is not there.
    [[nodiscard]] std::string get(std::string_view field) const {
        const auto* found = fields.if_contains(field);
        return found != nullptr && found->is_string() ? std::string{found->as_string()}
                                                      : std::string{};
    }
    [[nodiscard]] std::string name() const { return get("name"); }
    [[nodiscard]] bool has(std::string_view field) const {
        const auto* found = fields.if_contains(field);
        return found != nullptr && !found->is_null();
    }
    [[nodiscard]] bool flag(std::string_view field) const {
        const auto* found = fields.if_contains(field);
        return found != nullptr && found->is_bool() && found->as_bool();
    }
    [[nodiscard]] std::int64_t number(std::string_view field) const {
        const auto* found = fields.if_contains(field);
        return found != nullptr && found->is_int64() ? found->as_int64() : 0;
    }
    [[nodiscard]] Duration ms(std::string_view field) const { return Duration{number(field)}; }
    /// Which operator it stands on; -1 when none.
    [[nodiscard]] std::int64_t place(std::string_view field) const {
        return has(field) ? number(field) : -1;
    }
    /// How a source is read.
    [[nodiscard]] Consumed<Value, Value> consumed() const {
        Consumed<Value, Value> as{.name = name()};
        if (has("time"))
            as.time = [time = get("time")](const Arrived<Value, Value>& arrived) {
                return Timestamp{time_of(time, maybe(arrived.value), arrived.timestamp.ms,
                                         arrived.partition_time.ms)};
            };
        return as;
    }
    template <class V>
    [[nodiscard]] Materialized<Value, V> kept() const {
        Materialized<Value, V> as{.store = get("store")};
        if (has("retention")) as.retention = ms("retention");
        if (has("history")) as.history = ms("history");
        as.logging = !flag("nolog");
        if (flag("memory")) as.persistent = false;
        as.caching = !flag("nocache");
        if (flag("keep")) as.key = serde_for<Value>();
        as.name = name();
        return as;
    }
};

struct Context {
    Builder& builder;
    std::shared_ptr<Effects> effects;
    const std::vector<Made>& made;

    /// What operator `op` names in `field`.
    [[nodiscard]] const Made& at(const Op& op, std::string_view field) const {
        return made.at(static_cast<std::size_t>(op.place(field)));
    }
};

// One file each: what stands on streams, tables, groups. Throw Unsupported.
template <class K, class V>
Made on_stream(const Context& context, const Op& op, const KStream<K, V>& stream);
template <class K, class V>
Made on_table(const Context& context, const Op& op, const KTable<K, V>& table);
Made on_group(const Context& context, const Op& op, const KGroupedStream<Value, Value>& group);
template <class W>
Made on_group(const Context& context, const Op& op,
              const TimeWindowedKStream<Value, Value, W>& group);
Made on_group(const Context& context, const Op& op, const BySessions& group);
Made on_group(const Context& context, const Op& op, const Cogrouped& group);
template <class W>
Made on_group(const Context& context, const Op& op, const CogroupedBy<W>& group);
Made on_group(const Context& context, const Op& op, const CogroupedBySessions& group);
Made on_group(const Context& context, const Op& op, const KGroupedTable<Value, Value>& group);
/// Operators of one's own: process, process_values.
Made on_process(const Context& context, const Op& op, const KStream<Value, Value>& stream);
/// process with "keeps": windows, sessions or versions in a store of its own.
Made on_keeping(const Context& context, const Op& op, const KStream<Value, Value>& stream);
/// Looks what a store has.
Made on_look_up(const Context& context, const Op& op, const KStream<Value, Value>& stream);
/// What a stream is joined with decides which join it is.
Made on_join(const Context& context, const Op& op, const KStream<Value, Value>& stream);

/// A store for processors that a topic fills; throws Unsupported.
void add_global_store(Builder& builder, const Op& op);
/// The topology with what `nodes` adds to it, node by node. Throws Unsupported.
Result<Topology> with_nodes(const Topology& topology, const json::array& nodes);
/// How the partitioner that an operator names chooses; none: it names none.
template <class K, class V>
Partitioner<K, V> partitioner_of(const Op& op, std::string_view field = "partitioner") {
    if (!op.has(field)) return {};
    return [name = op.get(field)](const Departing<K, V>& record) {
        Maybe value;
        if constexpr (!std::is_same_v<V, Void>) value = maybe(record.value);
        return chosen(name, text(record.key), value, record.partitions);
    };
}

/// Declares every operator of the case. Throws Unsupported.
void declare(const json::array& ops, Builder& builder, const std::shared_ptr<Effects>& effects);

}  // namespace leat::streams::cases
