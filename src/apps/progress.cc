// SPDX-License-Identifier: Apache-2.0
#include "apps/progress.h"

#include <algorithm>
#include <cstdio>

#include "apps/output.h"

namespace leat::apps {
namespace {

constexpr std::size_t kBarWidth = 24;
constexpr std::chrono::milliseconds kRedraw{100};

}  // namespace

Progress::Progress(std::string_view verb, std::int64_t total, Unit unit)
    : verb_(verb), total_(total), unit_(unit), enabled_(is_terminal()) {}

void Progress::update(std::int64_t done, std::int64_t bytes) {
    if (!enabled_) return;
    const Clock::time_point now = Clock::now();
    if (now < next_draw_) return;
    next_draw_ = now + kRedraw;
    const double seconds = std::chrono::duration<double>(now - started_).count();
    const State state{
        .done = done, .bytes = bytes, .total = total_, .unit = unit_, .seconds = seconds};
    std::fprintf(stderr, "\r\033[K%s", line(verb_, state).c_str());
    std::fflush(stderr);
    drawn_ = true;
}

void Progress::finish() {
    if (!drawn_) return;
    std::fprintf(stderr, "\r\033[K");
    std::fflush(stderr);
    drawn_ = false;
}

std::string Progress::line(std::string_view verb, const State& state) {
    std::string out{verb};
    const auto per_second = [&](std::int64_t count) {
        return state.seconds > 0 ? static_cast<double>(count) / state.seconds : 0;
    };
    const std::int64_t reached = state.unit == Unit::kBytes ? state.bytes : state.done;
    if (state.total > 0) {
        const double part =
            std::clamp(static_cast<double>(reached) / static_cast<double>(state.total), 0.0, 1.0);
        const auto filled = static_cast<std::size_t>(part * kBarWidth);
        char percent[16];
        std::snprintf(percent, sizeof percent, " %3.0f%% ", part * 100);
        out += percent;
        out += "[" + std::string(filled, '#') + std::string(kBarWidth - filled, '.') + "]";
    }
    out += " " + human_count(state.done) + " records, " +
           human_bytes(static_cast<double>(state.bytes)) + ", ";
    out += state.unit == Unit::kBytes
               ? human_bytes(per_second(state.bytes)) + "/s"
               : human_count(static_cast<std::int64_t>(per_second(state.done))) + "/s";
    const double speed = per_second(reached);
    if (state.total > reached && speed > 0)
        out += ", " + human_seconds(static_cast<double>(state.total - reached) / speed) + " left";
    return out;
}

}  // namespace leat::apps
