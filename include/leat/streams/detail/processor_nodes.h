// SPDX-License-Identifier: Apache-2.0
//
// The nodes that run users' processors. Layer: streams SDK, not for users.
// Threading: as detail/node.h.
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "leat/streams/detail/invoke.h"
#include "leat/streams/detail/node.h"
#include "leat/streams/detail/state_store.h"
#include "leat/streams/processor.h"

namespace leat::streams::detail {

/// `P`: Processor or FixedKeyProcessor of some types; `In` makes what it takes.
template <class P, class ContextOf, class In>
class UserNode : public Node {
  public:
    UserNode(std::string name, std::unique_ptr<P> processor)
        : Node(std::move(name)), state_(*this), context_(state_), user_(std::move(processor)) {
        takes(typeid(Record<typename P::KeyIn, typename P::ValueIn>));
    }

    Result<void> open(Task& task) override {
        LEAT_TRY_VOID(Node::open(task));
        if (user_ == nullptr)
            return Error{Errc::kInvalidRequest, name() + ": its supplier made no processor"};
        ContextAccess::give(*user_, context_);
        LEAT_TRY_VOID(guarded([&] { return user_->init(context_); }));
        state_.is_open = open_ = true;
        return {};
    }
    void close() override {
        if (!std::exchange(open_, false)) return;
        note_close(guarded([&]() -> Result<void> {
            user_->close();
            return {};
        }));
    }

  private:
    Result<void> process(const Flow& flow) override {
        const PresentScope present{state_.present, flow};
        return user_->process(In::of(flow));
    }
    ContextState state_;
    ContextOf context_;
    std::unique_ptr<P> user_;
    bool open_ = false;
};

template <class K, class V>
struct PlainIn {
    static Record<K, V> of(const Flow& flow) { return record_of<K, V>(flow); }
};
template <class K, class V>
struct FixedIn {
    static FixedKeyRecord<K, V> of(const Flow& flow) {
        return FixedKeyAccess::make<FixedKeyRecord<K, V>>(record_of<K, V>(flow));
    }
};

template <class P>
using ProcessorNode = UserNode<
    Processor<typename P::KeyIn, typename P::ValueIn, typename P::KeyOut, typename P::ValueOut>,
    ProcessorContext<typename P::KeyOut, typename P::ValueOut>,
    PlainIn<typename P::KeyIn, typename P::ValueIn>>;
template <class P>
using FixedKeyNode =
    UserNode<FixedKeyProcessor<typename P::KeyIn, typename P::ValueIn, typename P::ValueOut>,
             FixedKeyProcessorContext<typename P::KeyIn, typename P::ValueOut>,
             FixedIn<typename P::KeyIn, typename P::ValueIn>>;

template <class Made>
struct Product {
    static_assert(kNever<Made>,
                  "a supplier yields a std::unique_ptr, a new one for each task: "
                  "[] { return std::make_unique<P>(); }");
};
template <class P>
struct Product<std::unique_ptr<P>> {
    using type = P;
};
template <class Supplier>
struct SuppliedType {
    static_assert(std::is_invocable_v<Supplier&>,
                  "a supplier is a function without arguments that yields a std::unique_ptr, a new "
                  "one for each task: [] { return std::make_unique<P>(); }");
    static_assert(Copyable<Supplier>::value);
    using type = typename Product<std::remove_cvref_t<std::invoke_result_t<Supplier&>>>::type;
};
/// The class that a supplier makes: `std::unique_ptr<P> supplier()`.
template <class Supplier>
using SuppliedBy = typename SuppliedType<Supplier>::type;

/// Stores that a supplier brings along by a member `stores()`: a range of StoreSpec.
template <class Supplier>
std::vector<StoreSpec> stores_of(Supplier& supplier) {
    std::vector<StoreSpec> out;
    if constexpr (requires { supplier.stores(); }) {
        for (const StoreSpec& spec : supplier.stores()) out.push_back(spec);
    }
    return out;
}

}  // namespace leat::streams::detail
