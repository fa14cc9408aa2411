// SPDX-License-Identifier: Apache-2.0
#include "testkit/sim_content.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/check.h"

namespace leat::testkit {
namespace {

std::size_t index(std::int64_t at) {
    return static_cast<std::size_t>(at);
}

void put(std::vector<std::byte>& into, std::int64_t at, Bytes bytes) {
    if (bytes.empty()) return;
    const std::size_t end = index(at) + bytes.size();
    if (into.size() < end) into.resize(end);
    std::ranges::copy(bytes, into.begin() + at);
}

}  // namespace

std::size_t SimContent::read(std::int64_t at, MutableBytes to) const {
    if (at >= size()) return 0;
    const std::size_t count = std::min(to.size(), index(size() - at));
    std::copy_n(seen_.begin() + at, count, to.begin());
    return count;
}

void SimContent::write(std::int64_t at, Bytes bytes) {
    if (bytes.empty()) return;
    put(seen_, at, bytes);
    pending_.push_back({.at = at, .bytes = {bytes.begin(), bytes.end()}});
}

void SimContent::truncate(std::int64_t size) {
    seen_.resize(index(size));
    pending_.push_back({.at = size, .bytes = {}, .is_truncation = true});
}

void SimContent::sync() {
    for (const Change& change : std::exchange(pending_, {})) {
        if (change.is_truncation) {
            durable_.resize(index(change.at));
        } else {
            put(durable_, change.at, change.bytes);
        }
    }
}

void SimContent::fail_sync(SimRandom& random) {
    settle(random, 50);
}

void SimContent::crash(SimRandom& random, std::uint64_t survive_percent) {
    settle(random, survive_percent);
    seen_ = durable_;
}

namespace {

/// Which sectors and which size have stopped on their way to the medium. A sector's versions reach
/// it in their order, and one that does not keeps the later ones of that sector off too: the page
/// is written whole or it is not.
class Progress {
  public:
    Progress(SimRandom& random, std::uint64_t percent) : random_(random), percent_(percent) {}

    bool advances(std::int64_t sector) {
        if (stopped_.contains(sector)) return false;
        if (random_.percent(percent_)) return true;
        stopped_.insert(sector);
        return false;
    }
    bool size_advances() {
        size_stopped_ = size_stopped_ || !random_.percent(percent_);
        return !size_stopped_;
    }

  private:
    SimRandom& random_;
    std::uint64_t percent_;
    std::set<std::int64_t> stopped_;
    bool size_stopped_ = false;
};

}  // namespace

void SimContent::settle(SimRandom& random, std::uint64_t survive_percent) {
    Progress progress{random, survive_percent};
    std::int64_t size = durable_size();
    std::int64_t longest = size;
    for (const Change& change : std::exchange(pending_, {})) {
        const std::int64_t end = change.is_truncation ? std::max(longest, change.at)
                                                      : change.at + std::ssize(change.bytes);
        longest = std::max(longest, end);
        if (std::ssize(durable_) < longest) durable_.resize(index(longest));
        for (std::int64_t from = change.at, to = 0; from < end; from = to) {
            to = std::min(end, (from / kSector + 1) * kSector);
            if (!progress.advances(from / kSector)) continue;
            // A truncation leaves zeros for the case that the file grows again.
            if (change.is_truncation) {
                std::fill(durable_.begin() + from, durable_.begin() + to, std::byte{});
            } else {
                put(durable_, from,
                    Bytes{change.bytes}.subspan(index(from - change.at), index(to - from)));
            }
        }
        if ((change.is_truncation || end > size) && progress.size_advances())
            size = change.is_truncation ? change.at : end;
    }
    durable_.resize(index(size));
}

void SimContent::flip_bit(std::int64_t byte, unsigned bit) {
    LEAT_CHECK(byte >= 0 && byte < size() && bit < 8);
    const auto mask = std::byte{1} << bit;
    seen_[index(byte)] ^= mask;
    if (byte < durable_size()) durable_[index(byte)] ^= mask;
}

}  // namespace leat::testkit
