// SPDX-License-Identifier: Apache-2.0
#include "coordinator_node.h"

#include <algorithm>
#include <optional>

namespace leat::groups::sim {

using std::chrono::milliseconds;

milliseconds CoordinatorNode::delay() {
    if (!is_quiet_ && random_.percent(options_.slow_percent))
        return milliseconds{random_.below(4'000)};
    return milliseconds{1 + random_.below(20)};
}

void CoordinatorNode::call(const std::function<void(Coordinator&)>& fn) {
    if (coordinator_ == nullptr) return;
    fn(*coordinator_);
    pump();
}

void CoordinatorNode::pump() {
    for (Write& write : coordinator_->take_writes()) writing_.push_back(std::move(write));
    if (is_writing_ || writing_.empty()) return;
    is_writing_ = true;
    at(now_.mono + milliseconds{1 + random_.below(30)}, [this, life = life_] {
        if (life == life_) write_next();
    });
}

/// The oldest write becomes durable, or fails now and then.
void CoordinatorNode::write_next() {
    is_writing_ = false;
    const Write write = std::move(writing_.front());
    writing_.pop_front();
    const bool fails = !is_quiet_ && random_.percent(2);
    if (!fails) log_.insert(log_.end(), write.records.begin(), write.records.end());
    coordinator_->on_written(write.token, fails ? Errc::kNoSpace : Errc::kNone, now_);
    pump();
}

void CoordinatorNode::crash() {
    if (coordinator_ == nullptr) return;
    coordinator_.reset();
    ++life_;
    // Some of what nobody was told of may have reached the disk all the same.
    for (std::uint64_t kept = random_.below(writing_.size() + 1); kept > 0; --kept) {
        const Write& write = writing_.front();
        log_.insert(log_.end(), write.records.begin(), write.records.end());
        writing_.pop_front();
    }
    writing_.clear();
    is_writing_ = false;
    at(now_.mono + milliseconds{100 + random_.below(2'000)}, [this] { restart(); });
}

void CoordinatorNode::restart() {
    if (coordinator_ != nullptr) return;
    coordinator_ = std::make_unique<Coordinator>(
        options_.settings, [this] { return random_.next(); }, options_.cluster);
    for (const RecordToWrite& record : log_)
        coordinator_->load_record(
            record.key, record.value ? std::optional<Bytes>{*record.value} : std::nullopt, now_);
    coordinator_->finish_load(now_);
    restarted(*coordinator_, log_);
    pump();
}

void CoordinatorNode::run_until(Instant end) {
    for (;;) {
        std::optional<Instant> next = events_.next();
        const auto timer = coordinator_ ? coordinator_->next_deadline() : std::nullopt;
        if (timer && (!next || *timer < *next)) next = timer;
        if (!next || *next > end) return;
        const Instant at = std::max(*next, now_.mono);
        now_.wall.value += std::chrono::duration_cast<milliseconds>(at - now_.mono).count();
        now_.mono = at;
        if (coordinator_ && timer && *timer <= at) {
            coordinator_->advance(now_);
            pump();
            continue;
        }
        events_.pop()();
    }
}

void CoordinatorNode::run(milliseconds time, const std::function<void()>& begin) {
    restart();
    begin();
    run_until(now_.mono + time);
    is_quiet_ = true;
    if (coordinator_ == nullptr) restart();
    run_until(now_.mono + milliseconds{90'000});
}

}  // namespace leat::groups::sim
