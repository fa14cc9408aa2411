// SPDX-License-Identifier: Apache-2.0
//
// Operators of your own. Layer: streams SDK.
// Spec:  Kafka Streams' Processor and FixedKeyProcessor: one object per task, made by a supplier;
// init(), process() for each record, close(). Threading: a processor belongs to its task, which
// runs on one thread at a time.
#pragma once

#include <optional>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "leat/streams/context.h"
#include "leat/streams/detail/context.h"
#include "leat/streams/record.h"

namespace leat::streams {

/// The context of a Processor.
template <class KOut, class VOut>
class ProcessorContext : public Context {
  public:
    using Context::Context;
    /// To all children, each to its end before the next. Errors: what they end with, hand them on;
    /// kInvalidTimestamp (a negative one: give the record the time of the one it comes from);
    /// kInvalidRequest in init().
    Result<void> forward(const Record<KOut, VOut>& record) {
        return state_->forward(detail::flow_of(record), {});
    }
    /// To one child, by the name of its node. Errors: kInvalidRequest when there is no such child.
    Result<void> forward(const Record<KOut, VOut>& record, std::string_view child) {
        return state_->forward(detail::flow_of(record), child);
    }
};

template <class KIn, class VIn, class KOut = KIn, class VOut = VIn>
class Processor {
  public:
    using KeyIn = KIn;
    using ValueIn = VIn;
    using KeyOut = KOut;
    using ValueOut = VOut;

    Processor() = default;
    Processor(const Processor&) = delete;
    Processor& operator=(const Processor&) = delete;
    virtual ~Processor() = default;
    /// Before the first record: what is below is not open yet, so that nothing can be forwarded.
    /// The context lives as long as the processor; an init() that overrides this one need not call
    /// it for context() to answer.
    virtual Result<void> init(ProcessorContext<KOut, VOut>& context) {
        context_ = &context;
        return {};
    }
    /// Errors are the processing exception handler's business, as what is thrown is.
    virtual Result<void> process(const Record<KIn, VIn>& record) = 0;
    /// Once, after the last record, when init() has succeeded. The context must not be used any
    /// more. What it throws is logged and goes no further.
    virtual void close() {}

  protected:
    /// From init() on.
    [[nodiscard]] ProcessorContext<KOut, VOut>& context() const {
        return detail::ContextAccess::given(context_);
    }

  private:
    friend struct detail::ContextAccess;
    ProcessorContext<KOut, VOut>* context_ = nullptr;
};

/// A record whose key stays what it is.
template <class K, class V>
class FixedKeyRecord {
  public:
    [[nodiscard]] const std::optional<K>& key() const noexcept { return record_.key; }
    [[nodiscard]] const std::optional<V>& value() const noexcept { return record_.value; }
    [[nodiscard]] Timestamp timestamp() const noexcept { return record_.timestamp; }
    [[nodiscard]] const Headers& headers() const noexcept { return record_.headers; }
    template <class V2>
    [[nodiscard]] FixedKeyRecord<K, V2> with_value(std::optional<V2> value) const {
        return FixedKeyRecord<K, V2>{
            {record_.key, std::move(value), record_.timestamp, record_.headers}};
    }
    template <class V2>
    [[nodiscard]] FixedKeyRecord<K, V2> with_value(V2 value) const {
        return with_value(std::optional<V2>{std::move(value)});
    }
    [[nodiscard]] FixedKeyRecord with_timestamp(Timestamp timestamp) const {
        return FixedKeyRecord{{record_.key, record_.value, timestamp, record_.headers}};
    }
    [[nodiscard]] FixedKeyRecord with_headers(Headers headers) const {
        return FixedKeyRecord{{record_.key, record_.value, record_.timestamp, std::move(headers)}};
    }

  private:
    template <class, class>
    friend class FixedKeyRecord;
    friend struct detail::FixedKeyAccess;
    explicit FixedKeyRecord(Record<K, V> record) : record_(std::move(record)) {}
    Record<K, V> record_;
};

template <class K, class VOut>
class FixedKeyProcessorContext : public Context {
  public:
    using Context::Context;
    Result<void> forward(const FixedKeyRecord<K, VOut>& record) { return forward(record, {}); }
    Result<void> forward(const FixedKeyRecord<K, VOut>& record, std::string_view child) {
        return state_->forward(detail::flow_of(detail::FixedKeyAccess::record(record)), child);
    }
};

/// A processor that cannot change keys, so that no repartition topic follows.
template <class K, class VIn, class VOut = VIn>
class FixedKeyProcessor {
  public:
    using KeyIn = K;
    using ValueIn = VIn;
    using ValueOut = VOut;

    FixedKeyProcessor() = default;
    FixedKeyProcessor(const FixedKeyProcessor&) = delete;
    FixedKeyProcessor& operator=(const FixedKeyProcessor&) = delete;
    virtual ~FixedKeyProcessor() = default;
    virtual Result<void> init(FixedKeyProcessorContext<K, VOut>& context) {
        context_ = &context;
        return {};
    }
    virtual Result<void> process(const FixedKeyRecord<K, VIn>& record) = 0;
    /// Once, after the last record, when init() has succeeded. The context must not be used any
    /// more. What it throws is logged and goes no further.
    virtual void close() {}

  protected:
    [[nodiscard]] FixedKeyProcessorContext<K, VOut>& context() const {
        return detail::ContextAccess::given(context_);
    }

  private:
    friend struct detail::ContextAccess;
    FixedKeyProcessorContext<K, VOut>* context_ = nullptr;
};

/// What makes a table's values anew, with stores and a context: see KTable::transform_values().
/// Spec: Kafka Streams' ValueTransformerWithKey.
template <class K, class VIn, class VOut = VIn>
class ValueTransformer {
  public:
    using KeyIn = K;
    using ValueIn = VIn;
    using ValueOut = VOut;

    ValueTransformer() = default;
    ValueTransformer(const ValueTransformer&) = delete;
    ValueTransformer& operator=(const ValueTransformer&) = delete;
    virtual ~ValueTransformer() = default;
    /// Before the first update. The context lives as long as the transformer.
    virtual Result<void> init(Context& context) {
        context_ = &context;
        return {};
    }
    /// `value` is null for a deletion; nothing deletes. Also called with the value before, when
    /// something below needs that and the table has no store. Errors: as Processor::process().
    virtual Result<std::optional<VOut>> transform(const K& key, const VIn* value) = 0;
    /// As Processor::close().
    virtual void close() {}

  protected:
    [[nodiscard]] Context& context() const { return detail::ContextAccess::given(context_); }

  private:
    friend struct detail::ContextAccess;
    Context* context_ = nullptr;
};

}  // namespace leat::streams
