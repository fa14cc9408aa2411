// SPDX-License-Identifier: Apache-2.0
//
// Calls that must compile, beside those of refused.h that must not. Layer: tests.
// Threading: not run.
#pragma once

#include <memory>
#include <ranges>
#include <string>
#include <vector>

#include "leat/streams/builder.h"
#include "leat/streams/processor.h"
#include "leat/streams/topology_builder.h"

namespace leat::streams {

/// What looks like a getter, a member and a range of C++ is taken for a function.
struct Order {
    std::string customer;
    [[nodiscard]] const std::string& by() const { return customer; }
};

class Pass final : public Processor<std::string, std::string> {
    Result<void> process(const Record<std::string, std::string>& record) override {
        return context().forward(record);
    }
};

inline void accepted() {
    using Text = std::string;
    Builder b;
    const auto orders = b.stream<Text, Order>("o");
    const auto table = b.table<Text, Order>("ot");
    const auto customers = b.table<Text, Text>("c");
    orders.map_values(&Order::customer);
    orders.map_values(&Order::by);
    orders.map_values([](const Order& order) -> Result<Text> { return order.customer; })
        .filter([](const Text& text) -> Result<bool> { return !text.empty(); });
    orders.select_key(&Order::by);
    orders.group_by([](const Order& order) -> const Text& { return order.customer; }).count();
    orders.flat_map_values([](const Order& order) { return std::views::single(order.customer); });
    orders.flat_map([](const Order& order) {
        return std::vector{KeyValue{order.customer, order}} |
               std::views::filter([](const auto& pair) { return pair.key.has_value(); });
    });
    table.map_values(&Order::customer);
    table.join_on(customers, &Order::customer,
                  [](const Order&, const Text& name) -> const Text& { return name; });
    orders.join(customers, [](const Order& order, const Text&) -> const Order& { return order; });
    b.stream<Text, Order>({"one", "two"}).process_values([] {
        return std::unique_ptr<FixedKeyProcessor<Text, Order>>{};
    });
    orders.to([](const Text*, const Order*) { return "all"; });
    orders.to([](const Text*, const Order*, const RecordContext& context) -> Result<Text> {
        return Text{context.topic};
    });
    TopologyBuilder{}.add_sink<Text, Order>(
        "sink",
        [](const Text*, const Order*, const RecordContext& context) { return context.topic; },
        {"source"});
}

}  // namespace leat::streams
