// SPDX-License-Identifier: Apache-2.0
#include "interpreter.h"

namespace leat::streams::cases {
namespace {

using Store = KeyValueStore<Value, Value>;

/// Numbers the records of a key; with "every", tells all numbers at each punctuation.
class Numbering final : public Processor<Value, Value> {
  public:
    Numbering(const json::object& fields, std::string store)
        : fields_(fields), store_(std::move(store)) {}

  private:
    [[nodiscard]] Op op() const { return Op{fields_, 0}; }

    Result<void> init(ProcessorContext<Value, Value>& context) override {
        LEAT_TRY_VOID(Processor::init(context));
        LEAT_TRY(numbers_, context.store<Store>(store_));
        if (!op().has("every")) return {};
        const auto type =
            op().flag("wall") ? PunctuationType::kWallClockTime : PunctuationType::kStreamTime;
        LEAT_TRY(calls_, context.schedule(op().ms("every"), type,
                                          [this](Timestamp now) { return tick(now); }));
        return {};
    }
    Result<void> tick(Timestamp now) {
        if (++ticks_ == op().number("times")) calls_->cancel();
        std::vector<std::pair<Value, Value>> all;
        LEAT_TRY_VOID(numbers_.all([&all](const Value& key, const Value& value) {
            all.emplace_back(key, value);
            return true;
        }));
        for (const auto& [key, value] : all) {
            const std::string told =
                "tick" + text(&value) + "/" + std::to_string(context().stream_time().ms);
            LEAT_TRY_VOID(context().forward(
                {.key = key, .value = text_value(told), .timestamp = now, .headers = {}}));
        }
        return {};
    }
    Result<void> process(const Record<Value, Value>& record) override {
        if (!record.key) return context().forward(record);
        LEAT_TRY(const auto before, numbers_.get(*record.key));
        const Value next = number_value(before ? std::get<std::int64_t>(before->is) + 1 : 1);
        LEAT_TRY_VOID(numbers_.put(*record.key, next));
        const std::string shown = text(address(record.value));
        if (shown == "x") LEAT_TRY_VOID(numbers_.put(*record.key, std::nullopt));
        auto on = record;
        on.value = text_value(shown + "#" + text(&next));
        if (op().flag("marks")) {
            ++on.timestamp.ms;
            on.headers.push_back({"n", text(&next)});
        }
        return context().forward(on);
    }

    json::object fields_;
    std::string store_;
    Store numbers_;
    std::optional<Cancellable> calls_;
    std::int64_t ticks_ = 0;
};

/// Puts what the key had before in front of each value.
class Before final : public FixedKeyProcessor<Value, Value> {
  public:
    explicit Before(std::string store) : store_(std::move(store)) {}

  private:
    Result<void> init(FixedKeyProcessorContext<Value, Value>& context) override {
        LEAT_TRY_VOID(FixedKeyProcessor::init(context));
        LEAT_TRY(seen_, context.store<Store>(store_));
        return {};
    }
    Result<void> process(const FixedKeyRecord<Value, Value>& record) override {
        if (!record.key()) return context().forward(record);
        LEAT_TRY(const auto before, seen_.get(*record.key()));
        LEAT_TRY_VOID(seen_.put(*record.key(), record.value()));
        return context().forward(record.with_value(
            text_value(text(address(before)) + ">" + text(address(record.value())))));
    }

    std::string store_;
    Store seen_;
};

}  // namespace

Made on_process(const Context& context, const Op& op, const KStream<Value, Value>& stream) {
    if (op.has("keeps")) return on_keeping(context, op, stream);
    const std::string store = op.get("store");
    // Several processors may share a store; the first adds it.
    if (!op.flag("shared"))
        context.builder.add_state_store(
            key_value_store<Value, Value>(store, {.logging = !op.flag("nolog"),
                                                  .persistent = !op.flag("memory"),
                                                  .caching = op.flag("cached")}));
    const Processed as{.name = op.name(), .stores = {store}};
    const auto before = [store] { return std::make_unique<Before>(store); };
    const auto numbering = [fields = op.fields, store] {
        return std::make_unique<Numbering>(fields, store);
    };
    const bool older = op.flag("older");
    if (op.verb() == "process_values")
        return older ? stream.transform_values(before, as) : stream.process_values(before, as);
    return older ? stream.transform(numbering, as) : stream.process(numbering, as);
}

}  // namespace leat::streams::cases
