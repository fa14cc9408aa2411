// SPDX-License-Identifier: Apache-2.0
//
// Answers on their way out, and the memory they hold until then.
#include <algorithm>
#include <memory>
#include <utility>

#include "base/bounded_time.h"
#include "base/check.h"
#include "broker/connection.h"
#include "broker/connections.h"

namespace leat::broker {

std::shared_ptr<const std::byte[]> Connection::lent(wire::Frame& frame, MemoryShare share) {
    if (share.is_empty()) return std::move(frame.data);
    struct Lent {
        std::unique_ptr<std::byte[]> data;
        MemoryShare share;
    };
    const auto lent = std::make_shared<Lent>(std::move(frame.data), std::move(share));
    std::erase_if(lent_, [](const LentAnswer& answer) { return answer.data.expired(); });
    lent_.push_back({lent, loop_.now()});
    return {lent, lent->data.get()};
}

void Connection::send_frame(Answer& answer, MemoryShare share) {
    wire::Frame& frame = answer.frame;
    const std::size_t size = frame.size_bytes;
    const std::shared_ptr<const std::byte[]> keep = lent(frame, std::move(share));
    const Bytes bytes{keep.get(), size};
    if (frame.splices.empty()) return stream_.send(keep, bytes);
    stream_.cork();
    std::size_t sent = 0;
    std::size_t slice = 0;
    for (const wire::Splice& splice : frame.splices) {
        if (splice.position > sent) stream_.send(keep, bytes.subspan(sent, splice.position - sent));
        sent = splice.position;
        for (std::size_t left = splice.size_bytes; left > 0; ++slice) {
            LEAT_CHECK(slice < answer.slices.size());
            storage::ReadSlice& from = answer.slices[slice];
            LEAT_CHECK(from.size_bytes <= left);
            left -= from.size_bytes;
            if (from.file)
                stream_.send_file(std::move(from.file), from.at, from.size_bytes);
            else
                stream_.send(std::move(from.memory), from.bytes.first(from.size_bytes));
        }
    }
    if (sent < size) stream_.send(keep, bytes.subspan(sent));
    stream_.uncork();
}

/// A peer that takes a byte now and then could keep everybody else waiting.
bool Connection::hoards(Instant now) const {
    if (lent_.empty() || home_.answer_memory().has_room()) return false;
    const auto patience = bounded_ms(home_.config().send_timeout_ms);
    return std::ranges::any_of(lent_, [now, patience](const LentAnswer& answer) {
        return !answer.data.expired() && now - answer.at >= patience;
    });
}

}  // namespace leat::broker
