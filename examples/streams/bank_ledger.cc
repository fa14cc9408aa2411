// SPDX-License-Identifier: Apache-2.0
//
// A bank's books, exactly once: each transfer takes from one account what it gives to another.
//
//     transfers   any key; {"id": "t7", "from": "alice", "to": "bob", "cents": 500}      in
//     journal     the account; id, account, cents: an entry of each side, both in the    out
//                 partition of the transfer's id
//     balances    the account; its cents, 8 bytes                                        out
//
// The two accounts may lie in different partitions, so that the entries go through a topic of their
// own. Whatever dies in between, no entry is lost or booked twice: input, state and output are
// committed as one. Read the results with isolation.level=read_committed.
// bank_ledger HOST:PORT [setting=value]..., or bank_ledger --try: see example.h.
#include <cstdint>
#include <string>
#include <vector>

#include "example.h"
#include "leat/streams/json.h"

namespace {

struct Transfer {
    std::string id;
    std::string from;
    std::string to;
    std::int64_t cents = 0;
};
struct Entry {
    std::string id;
    std::string account;
    std::int64_t cents = 0;
};

}  // namespace

template <>
struct leat::streams::Members<Transfer> {
    static constexpr auto list =
        members_of(member("id", &Transfer::id), member("from", &Transfer::from),
                   member("to", &Transfer::to), member("cents", &Transfer::cents));
};
template <>
struct leat::streams::Members<Entry> {
    static constexpr auto list =
        members_of(member("id", &Entry::id), member("account", &Entry::account),
                   member("cents", &Entry::cents));
};

namespace {

using leat::streams::Departing;
using leat::streams::KeyValue;
using leat::streams::Partitions;

/// Both entries of a transfer lie in one partition of the journal, one behind the other.
Partitions together(const Departing<std::string, Entry>& entry) {
    return std::vector{leat::streams::partition_for_key(entry.value->id, entry.partitions)};
}

std::vector<KeyValue<std::string, Entry>> booked(const Transfer& transfer) {
    const Entry from{transfer.id, transfer.from, -transfer.cents};
    const Entry to{transfer.id, transfer.to, transfer.cents};
    return {{from.account, from}, {to.account, to}};
}

leat::Result<leat::streams::Topology> bank_ledger() {
    leat::streams::Builder builder;
    const auto entries = builder.stream<std::string, Transfer>("transfers")
                             .flat_map(booked)
                             .repartition({.name = "by-account"});
    entries.to("journal", {.partitioner = together});
    entries.group_by_key()
        .aggregate([] { return std::int64_t{0}; },
                   [](const std::string& /*account*/, const Entry& entry, std::int64_t balance) {
                       return balance + entry.cents;
                   },
                   {.store = "balances"})
        .to_stream()
        .to("balances");
    return builder.build();
}

}  // namespace

int main(int argc, char** argv) {
    return example::run(
        argc, argv, bank_ledger,
        {.application_id = "bank-ledger", .guarantee = leat::streams::Guarantee::kExactlyOnceV2});
}
