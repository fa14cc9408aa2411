// SPDX-License-Identifier: Apache-2.0
//
// Processors that keep what has a key in a store whose rows have times, and tell what the store has
// then. A null value and "x" delete.
#include <algorithm>

#include "interpreter.h"

namespace leat::streams::cases {
namespace {

using Windows = WindowStore<Value, Value>;
using TimedWindows = TimestampedWindowStore<Value, Value>;
using Sessions = SessionStore<Value, Value>;
using Versions = VersionedKeyValueStore<Value, Value>;
using Text = Result<std::string>;

/// How far around a record is looked for others.
constexpr std::int64_t kAround = 40;
/// How much earlier a version is asked for.
constexpr std::int64_t kEarlier = 7;

Timestamp earlier(std::int64_t at, std::int64_t by) {
    return {std::max<std::int64_t>(0, at - by)};
}
std::string shown(const Value& value) {
    return text(&value);
}
std::string shown(const Timed<Value>& one) {
    return text(&one.value) + "@" + std::to_string(one.timestamp.ms);
}
/// Without its end, which Kafka Streams leaves out when a processor asks.
std::string shown(const std::optional<VersionRow<Value>>& one) {
    return one ? text(&one->value) + "@" + std::to_string(one->from.ms) : "null";
}
/// Adds "key=value;".
auto adding(std::string& out) {
    return [&out](const WindowKey& key, const auto& value) {
        out += text(&key) + "=" + shown(value) + ";";
        return true;
    };
}

Result<bool> put(const Windows& rows, const Value& key, Timestamp start, const Maybe& value,
                 Timestamp /*at*/) {
    return rows.put(key, start, value);
}
Result<bool> put(const TimedWindows& rows, const Value& key, Timestamp start, const Maybe& value,
                 Timestamp at) {
    return value ? rows.put(key, start, {*value, at}) : rows.erase(key, start);
}

template <class S>
Text keep(const S& rows, const Op& op, const Value& key, const Maybe& value, Timestamp at) {
    const Timestamp start{at.ms - at.ms % op.number("size")};
    LEAT_TRY(const auto before, rows.get(key, start));
    LEAT_TRY_VOID(put(rows, key, start, value, at));
    std::string out = (before ? shown(*before) : "null") + ">";
    const Timestamp from = earlier(at.ms, kAround);
    const Timestamp to{at.ms + kAround};
    const bool backward = op.flag("backward");
    if (op.flag("all")) {
        LEAT_TRY_VOID(rows.fetch_all(from, to, adding(out), backward));
        return out;
    }
    const auto add = [&out](Timestamp each, const auto& row) {
        out += std::to_string(each.ms) + "=" + shown(row) + ";";
        return true;
    };
    LEAT_TRY_VOID(rows.fetch(key, from, to, add, backward));
    return out;
}

Text keep(const Sessions& rows, const Op& op, const Value& key, const Maybe& value, Timestamp at) {
    Window merged{at.ms, at.ms};
    std::vector<WindowKey> met;
    std::string sum;
    const auto meet = [&](const WindowKey& one, const Value& held) {
        met.push_back(one);
        sum += shown(held);
        merged = {std::min(merged.start, one.window.start), std::max(merged.end, one.window.end)};
        return true;
    };
    const std::int64_t gap = op.number("size");
    LEAT_TRY_VOID(rows.find(key, earlier(at.ms, gap), {at.ms + gap}, meet));
    for (const WindowKey& one : met) LEAT_TRY_VOID(rows.remove(one));
    if (value) LEAT_TRY_VOID(rows.put({key, merged}, text_value(sum + shown(*value))));
    std::string out = std::to_string(met.size()) + ">";
    LEAT_TRY_VOID(rows.fetch(key, adding(out)));
    return out;
}

Text keep(const Versions& rows, const Op& op, const Value& key, const Maybe& value, Timestamp at) {
    std::string done;
    if (!value && op.flag("all")) {
        LEAT_TRY(const auto before, rows.erase(key, at));
        done = shown(before);
    } else {
        LEAT_TRY(const auto put, rows.put(key, value, at));
        done = put.stored ? std::to_string(put.to ? put.to->ms : -1) : "not";
    }
    LEAT_TRY(const auto latest, rows.get(key));
    LEAT_TRY(const auto now, rows.get(key, at));
    LEAT_TRY(const auto then, rows.get(key, earlier(at.ms, kEarlier)));
    return done + ">" + shown(latest) + ";" + shown(now) + ";" + shown(then);
}

template <class S>
class Keeping final : public Processor<Value, Value> {
  public:
    explicit Keeping(const json::object& fields) : fields_(fields) {}

  private:
    Result<void> init(ProcessorContext<Value, Value>& context) override {
        LEAT_TRY_VOID(Processor::init(context));
        LEAT_TRY(rows_, context.store<S>(Op{fields_, 0}.get("store")));
        return {};
    }
    Result<void> process(const Record<Value, Value>& record) override {
        if (!record.key) return context().forward(record);
        const bool deletes = text(address(record.value)) == "x";
        LEAT_TRY(auto told, keep(rows_, Op{fields_, 0}, *record.key,
                                 deletes ? Maybe{} : record.value, record.timestamp));
        auto on = record;
        on.value = text_value(std::move(told));
        return context().forward(on);
    }

    json::object fields_;
    S rows_;
};

template <class S>
Made kept_in(const Context& context, const Op& op, const KStream<Value, Value>& stream,
             const StoreRef<S>& store) {
    context.builder.add_state_store(store);
    return stream.process([fields = op.fields] { return std::make_unique<Keeping<S>>(fields); },
                          {.name = op.name(), .stores = {op.get("store")}});
}

}  // namespace

Made on_keeping(const Context& context, const Op& op, const KStream<Value, Value>& stream) {
    const StoreOptions<Value, Value> as{.logging = !op.flag("nolog"),
                                        .persistent = !op.flag("memory")};
    const std::string store = op.get("store");
    const Duration retention = op.ms("retention");
    const Duration size = op.ms("size");
    if (op.get("keeps") == "sessions")
        return kept_in(context, op, stream, session_store<Value, Value>(store, retention, as));
    if (op.get("keeps") == "versions")
        return kept_in(context, op, stream,
                       versioned_key_value_store<Value, Value>(store, retention, as));
    if (op.get("keeps") != "windows") throw Unsupported{op.get("keeps")};
    if (op.flag("timed"))
        return kept_in(context, op, stream,
                       timestamped_window_store<Value, Value>(store, retention, size, as));
    return kept_in(context, op, stream, window_store<Value, Value>(store, retention, size, as));
}

}  // namespace leat::streams::cases
