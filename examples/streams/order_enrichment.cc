// SPDX-License-Identifier: Apache-2.0
//
// Orders with the customer that each names: two tables joined by a foreign key.
//
//     orders            the order's number; {"customer": "c7", "cents": 1250}      in
//     customers         the customer's number; {"name": "Ada", "city": "London"}   in
//     orders-enriched   the order's number; customer, name, city, cents            out
//
// The customer of an order may change, be renamed or be deleted: what was told of the order is told
// anew then. Orders of a customer that is not known have no name.
// order_enrichment HOST:PORT [setting=value]..., or order_enrichment --try: see example.h.
#include <cstdint>
#include <optional>
#include <string>

#include "example.h"
#include "leat/streams/json.h"

namespace {

struct Order {
    std::string customer;
    std::int64_t cents = 0;
};
struct Customer {
    std::string name;
    std::string city;
};
struct Enriched {
    std::string customer;
    std::optional<std::string> name;
    std::optional<std::string> city;
    std::int64_t cents = 0;
};

}  // namespace

template <>
struct leat::streams::Members<Order> {
    static constexpr auto list =
        members_of(member("customer", &Order::customer), member("cents", &Order::cents));
};
template <>
struct leat::streams::Members<Customer> {
    static constexpr auto list =
        members_of(member("name", &Customer::name), member("city", &Customer::city));
};
template <>
struct leat::streams::Members<Enriched> {
    static constexpr auto list =
        members_of(member("customer", &Enriched::customer), member("name", &Enriched::name),
                   member("city", &Enriched::city), member("cents", &Enriched::cents));
};

namespace {

Enriched enriched(const Order& order, const Customer* customer) {
    Enriched out{.customer = order.customer, .name = {}, .city = {}, .cents = order.cents};
    if (customer != nullptr) {
        out.name = customer->name;
        out.city = customer->city;
    }
    return out;
}

leat::Result<leat::streams::Topology> order_enrichment() {
    leat::streams::Builder builder;
    const auto orders = builder.table<std::string, Order>("orders");
    // Not held back: an order that meets a customer in the cache would not hear of his deletion
    // when that comes before he was ever told of. Kafka Streams is the same there.
    const auto customers =
        builder.table<std::string, Customer>("customers", {}, {.caching = false});
    orders.left_join_on(
              customers, [](const Order& order) { return order.customer; }, enriched)
        .to_stream()
        .to("orders-enriched");
    return builder.build();
}

}  // namespace

int main(int argc, char** argv) {
    return example::run(argc, argv, order_enrichment, {.application_id = "order-enrichment"});
}
