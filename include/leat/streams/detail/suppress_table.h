// SPDX-License-Identifier: Apache-2.0
//
// A suppressed table as others read it: what was handed on, not what waits. Layer: streams SDK, not
// for users.
// Spec:  the value getter of Kafka Streams' KTableSuppressProcessorSupplier.
// Threading: as detail/table.h.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "leat/streams/detail/suppress_buffer.h"
#include "leat/streams/detail/table.h"

namespace leat::streams::detail {

template <class K, class V>
class SuppressView final : public View<K, V> {
  public:
    SuppressView(std::unique_ptr<View<K, V>> parent, StoreUse<K, V> buffer)
        : parent_(std::move(parent)), codec_(std::move(buffer)) {}

    Result<void> open(Task& task) override {
        buffer_ = &dynamic_cast<SuppressBuffer&>(task.store(codec_.store()));
        return parent_->open(task);
    }
    Result<Found<V>> get(const K& key) override {
        LEAT_TRY(const auto bytes, codec_.key(key));
        const BufferedChange* waiting = buffer_->find(bytes);
        if (waiting == nullptr) return parent_->get(key);
        if (!waiting->prior) return Found<V>{};
        LEAT_TRY(V value, codec_.decode(*waiting->prior));
        return Found<V>{{std::move(value), -1}};
    }

  private:
    std::unique_ptr<View<K, V>> parent_;
    StoreCodec<K, V> codec_;
    SuppressBuffer* buffer_ = nullptr;
};

template <class K, class V>
class SuppressTable final : public Table<K, V> {
  public:
    SuppressTable(std::shared_ptr<Table<K, V>> parent, StoreUse<K, V> buffer)
        : parent_(std::move(parent)), buffer_(std::move(buffer)) {}
    void need() override { parent_->need(); }
    [[nodiscard]] std::vector<std::string> stores() const override {
        auto out = parent_->stores();
        out.insert(out.begin(), buffer_.name);  // As there: it shows where hashes collide.
        return out;
    }
    [[nodiscard]] std::unique_ptr<View<K, V>> view() const override {
        return std::make_unique<SuppressView<K, V>>(parent_->view(), buffer_);
    }

  private:
    std::shared_ptr<Table<K, V>> parent_;
    StoreUse<K, V> buffer_;
};

}  // namespace leat::streams::detail
