// SPDX-License-Identifier: Apache-2.0
//
// A connection whose requests are all for partitions of another shard goes over to that one: each
// request would cost two hops between threads (decision 0043).
#include <algorithm>
#include <cstdint>
#include <utility>

#include "broker/authentication.h"
#include "broker/connection.h"
#include "broker/connections.h"

namespace leat::broker {
namespace {

/// So many requests in a row, twice as many after each wish: who changes often stays.
constexpr std::uint32_t kPatience = 32;
constexpr unsigned kDoublingsMax = 16;

}  // namespace

void Connection::look_where(const Request& request) {
    // Its sessions are the shard's.
    has_fetched_ = has_fetched_ || request.header.api->key == wire::ApiKey::kFetch;
    if (request.header.api->key != wire::ApiKey::kProduce) return;
    const Shard* const at = request.appended_on;
    if (at == nullptr || at == &home_.shard() || std::exchange(toward_, at) != at) {
        in_a_row_ = 0;
        return;
    }
    if (++in_a_row_ < kPatience << std::min(facts_->wishes, kDoublingsMax)) return;
    in_a_row_ = 0;
    if (has_fetched_ || !stream_.is_plain() || target_ != nullptr) return;
    ++facts_->wishes;
    home_.ask_to_move(*this, *at);
}

bool Connection::may_move_to(Connections& there, std::size_t shard) {
    if (is_closed_) return false;
    facts_->shard = shard;
    target_ = &there;
    leave();
    return true;
}

bool Connection::is_at_rest() const {
    // An exchange asks the shard on which it began.
    if (facts_->authentication && facts_->authentication->is_in_exchange()) return false;
    const bool waits = is_muted_ || waits_to_start_ || waits_to_read_ || !is_reading_;
    return !is_closed_ && !is_draining_ && !waits && executions_.empty() && reserved_bytes_ == 0 &&
           !reader_.is_inside() && reader_.held_bytes() == 0 && stream_.is_open() &&
           stream_.unsent_bytes() == 0;
}

void Connection::leave() {
    // It may have fetched since it asked.
    if (target_ == nullptr || has_fetched_ || !is_at_rest()) return;
    const auto self = shared_from_this();
    is_closed_ = true;
    home_.left(*this);
    target_->adopt(stream_.release(), facts_);
}

}  // namespace leat::broker
