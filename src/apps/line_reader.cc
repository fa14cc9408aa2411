// SPDX-License-Identifier: Apache-2.0
#include "apps/line_reader.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace leat::apps {
namespace {

constexpr std::size_t kBlock = std::size_t{64} * 1024;
constexpr int kIdleMs = 100;

}  // namespace

LineReader::LineReader(int descriptor, std::function<bool()> on_idle)
    : descriptor_(descriptor), on_idle_(std::move(on_idle)) {}

Result<bool> LineReader::next(std::string_view& line) {
    while (true) {
        const std::size_t end = buffer_.find('\n', std::max(used_, searched_));
        if (end != std::string::npos || (at_end_ && used_ < buffer_.size())) {
            const std::size_t stop = std::min(end, buffer_.size());
            line = std::string_view{buffer_}.substr(used_, stop - used_);
            used_ = std::min(stop + 1, buffer_.size());
            searched_ = used_;
            return true;
        }
        if (at_end_) return false;
        buffer_.erase(0, std::exchange(used_, 0));
        searched_ = buffer_.size();
        pollfd waiting{.fd = descriptor_, .events = POLLIN, .revents = 0};
        const int ready = poll(&waiting, 1, kIdleMs);
        if (ready <= 0) {
            if (!on_idle_()) return false;
            continue;
        }
        const std::size_t had = buffer_.size();
        buffer_.resize(had + kBlock);
        const ssize_t got = read(descriptor_, buffer_.data() + had, kBlock);
        buffer_.resize(had + (got > 0 ? static_cast<std::size_t>(got) : 0));
        if (got == 0) at_end_ = true;
        if (got < 0 && errno != EINTR && errno != EAGAIN)
            return Error{Errc::kIoError,
                         std::string{"cannot read the input: "} + std::strerror(errno)};
    }
}

bool LineReader::finds_end() {
    pollfd waiting{.fd = descriptor_, .events = POLLIN, .revents = 0};
    if (!at_end_ && used_ == buffer_.size() && poll(&waiting, 1, 0) > 0) {
        char next = 0;
        const ssize_t got = read(descriptor_, &next, 1);
        if (got > 0) buffer_ += next;
        if (got == 0) at_end_ = true;
    }
    return is_at_end();
}

}  // namespace leat::apps
