// SPDX-License-Identifier: Apache-2.0
//
// The one transactional id that a coordinator of a test knows. Layer: client (L3), tests only.
#pragma once

#include <cstdint>

#include "base/errc.h"
#include "client/producer_identity.h"
#include "wire/messages/end_txn_response.h"
#include "wire/messages/init_producer_id_request.h"
#include "wire/messages/init_producer_id_response.h"

namespace leat::client::testing {

/// `code`: what is answered instead. Threading: not synchronised.
class PlayedProducer {
  public:
    wire::InitProducerIdResponse init(const wire::InitProducerIdRequest& request, Errc code) {
        const ProducerIdentity as{request.producer_id, request.producer_epoch};
        if (code == Errc::kNone && as.id >= 0 && as != current_ && as != before_)
            code = Errc::kProducerFenced;
        if (code != Errc::kNone) return {.error_code = number(code), .producer_epoch = -1};
        if (as.id < 0 || as == current_) {
            before_ = current_;
            ++current_.epoch;
        }
        return {.producer_id = current_.id, .producer_epoch = current_.epoch};
    }
    wire::EndTxnResponse end(ProducerIdentity as, bool commits, std::int16_t version, Errc code) {
        const bool is_again = version >= 5 && as == before_ && commits == has_committed_;
        if (code == Errc::kNone && !is_again && as != current_) code = Errc::kInvalidProducerEpoch;
        if (code != Errc::kNone) return {.error_code = number(code)};
        if (version < 5) return {};
        if (!is_again) {
            before_ = current_;
            ++current_.epoch;
            has_committed_ = commits;
        }
        return {.producer_id = current_.id, .producer_epoch = current_.epoch};
    }
    /// As another one with the transactional id does.
    void fence() {
        ++current_.epoch;
        before_ = {};
    }
    void set_current(ProducerIdentity identity) { current_ = identity; }

  private:
    static std::int16_t number(Errc code) { return static_cast<std::int16_t>(code); }

    ProducerIdentity current_{7, -1};
    ProducerIdentity before_;  ///< Whose retries are known.
    bool has_committed_ = false;
};

}  // namespace leat::client::testing
