// SPDX-License-Identifier: Apache-2.0
//
// What an operator sets about transactions, and the faults that tests put in.
// Layer: transactions (L5).
// Spec:  Kafka's broker settings of the same names; those without a name there are ours.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace leat::transactions {

/// Deliberate bugs, each of which the simulation must notice. All off in production.
struct Faults {
    bool no_fencing = false;             ///< Any epoch of the right producer id is taken.
    bool not_reconciled = false;         ///< What was decided before a restart is not finished.
    bool answer_before_durable = false;  ///< A decision is told before it is in the log.
    bool marker_before_log = false;      ///< Markers go out before the decision is in the log.
    bool marker_lost = false;            ///< The last of several partitions gets no marker.
};

struct Settings {
    std::chrono::milliseconds timeout_max{900'000};            // transaction.max.timeout.ms
    std::chrono::milliseconds timeout_check_interval{10'000};  // transaction.abort.timed.out
                                                               // .transaction.cleanup.interval.ms
    std::chrono::milliseconds id_expiration{604'800'000};      // transactional.id.expiration.ms
    std::chrono::milliseconds id_expiration_check_interval{
        3'600'000};  // transaction.remove.expired.transaction.cleanup.interval.ms
    /// How long an enrolment waits for the transaction before it to finish; for so long after that
    /// has, the commit of an empty one is told to come again.
    std::chrono::milliseconds enrolment_wait{100};  // add.partitions.to.txn.retry.backoff.max.ms

    std::size_t ids_max = 100'000;         ///< In one partition of __transaction_state.
    std::size_t partitions_max = 100'000;  ///< A transaction.
    std::size_t waiting_max = 1'000;       ///< Enrolments that wait, a transaction.

    /// Of the records that we write; a flexible one keeps what protocol 2 needs.
    std::int16_t value_version = 1;

    Faults faults;
};

}  // namespace leat::transactions
