// SPDX-License-Identifier: Apache-2.0
#include "rt/send_queue.h"

#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "rt/os_error.h"

namespace leat::rt {
namespace {

constexpr std::size_t kPartsMax = 64;                    // One sendmsg.
constexpr std::size_t kFileStep = std::size_t{1} << 20;  // One sendfile.
constexpr std::size_t kCopyStep = std::size_t{64} << 10;
constexpr int kCallsPerTurn = 16;

Error truncated() {
    return Error{Errc::kTruncated, "a file that was to be sent is shorter than expected"};
}

}  // namespace

void SendQueue::push(std::vector<std::byte> bytes, std::size_t from) {
    LEAT_CHECK(from < bytes.size());
    bytes_ += bytes.size() - from;
    Chunk& chunk = chunks_.emplace_back();
    chunk.owned = std::move(bytes);
    chunk.rest = Bytes{chunk.owned}.subspan(from);
}

void SendQueue::push(std::shared_ptr<const void> keep, Bytes bytes) {
    LEAT_CHECK(!bytes.empty());
    bytes_ += bytes.size();
    Chunk& chunk = chunks_.emplace_back();
    chunk.keep = std::move(keep);
    chunk.rest = bytes;
}

void SendQueue::push_file(std::shared_ptr<File> file, FilePos at, std::size_t bytes) {
    LEAT_CHECK(file != nullptr && bytes > 0);
    bytes_ += bytes;
    Chunk& chunk = chunks_.emplace_back();
    chunk.file = std::move(file);
    chunk.at = at;
    chunk.file_bytes = bytes;
}

void SendQueue::clear() {
    // Swapped out first: what a chunk owns may come back here when it goes.
    const std::vector<Chunk> dropped = std::exchange(chunks_, {});
    next_ = 0;
    bytes_ = 0;
}

Result<std::size_t> SendQueue::write_to(int fd) {
    std::size_t total = 0;
    for (int call = 0; call < kCallsPerTurn && !empty(); ++call) {
        Chunk& first = chunks_[next_];
        LEAT_TRY(const Wrote wrote, first.file ? write_file(fd, first) : write_bytes(fd));
        total += wrote.bytes;
        if (wrote.is_full) break;
    }
    return total;
}

// The usual case, one answer, for which send() is cheaper than sendmsg().
Result<SendQueue::Wrote> SendQueue::write_one(int fd) {
    const Bytes rest = chunks_[next_].rest;
    const auto put = retry_eintr(
        [&] { return ::send(fd, rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT); });
    if (put < 0 && errno != EAGAIN) return os_error("send to", "peer");
    const auto done = static_cast<std::size_t>(std::max(put, ssize_t{0}));
    const bool is_full = done < rest.size();
    drop(done);
    return Wrote{.bytes = done, .is_full = is_full};
}

Result<SendQueue::Wrote> SendQueue::write_bytes(int fd) {
    if (count() == 1) return write_one(fd);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): filled up to `count`.
    std::array<iovec, kPartsMax> parts;
    std::size_t count = 0;
    std::size_t asked = 0;
    std::size_t i = next_;
    for (; i < chunks_.size() && count < kPartsMax && !chunks_[i].file; ++i, ++count) {
        const Bytes rest = chunks_[i].rest;
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): iovec has no const form.
        parts[count] = {const_cast<std::byte*>(rest.data()), rest.size()};
        asked += rest.size();
    }
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = count;
    // A header that a file follows shares its packet.
    const int more = i < chunks_.size() ? MSG_MORE : 0;
    const auto put =
        retry_eintr([&] { return ::sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT | more); });
    if (put < 0 && errno != EAGAIN) return os_error("send to", "peer");
    const auto done = static_cast<std::size_t>(std::max(put, ssize_t{0}));
    drop(done);
    return Wrote{.bytes = done, .is_full = done < asked};
}

Result<SendQueue::Wrote> SendQueue::write_file(int fd, Chunk& chunk) {
    if (chunk.file->descriptor() < 0) return copy_file(fd, chunk);
    const std::size_t asked = std::min(chunk.file_bytes, kFileStep);
    off_t at = chunk.at.value;
    const auto put =
        retry_eintr([&] { return ::sendfile(fd, chunk.file->descriptor(), &at, asked); });
    if (put < 0 && errno != EAGAIN) return os_error("sendfile to", "peer");
    if (put == 0) return truncated();
    const auto done = static_cast<std::size_t>(std::max(put, ssize_t{0}));
    drop(done);
    // Less than asked is the socket's bound or the end of the file: the next call tells which.
    return Wrote{.bytes = done, .is_full = put < 0};
}

Result<SendQueue::Wrote> SendQueue::copy_file(int fd, Chunk& chunk) {
    std::vector<std::byte> copy(std::min(chunk.file_bytes, kCopyStep));
    LEAT_TRY(const std::size_t got, chunk.file->read_at(chunk.at, copy));
    if (got < copy.size()) return truncated();
    const auto put = retry_eintr(
        [&] { return ::send(fd, copy.data(), copy.size(), MSG_NOSIGNAL | MSG_DONTWAIT); });
    if (put < 0 && errno != EAGAIN) return os_error("send to", "peer");
    const auto done = static_cast<std::size_t>(std::max(put, ssize_t{0}));
    drop(done);
    return Wrote{.bytes = done, .is_full = done < copy.size()};
}

Result<std::size_t> SendQueue::take(MutableBytes to) {
    std::size_t total = 0;
    while (!empty() && !to.empty()) {
        const Chunk& first = chunks_[next_];
        const std::size_t part =
            std::min(to.size(), first.file ? first.file_bytes : first.rest.size());
        if (part == 0) {  // A chunk without bytes, which only holds an owner.
            pop();
            continue;
        }
        if (first.file) {
            LEAT_TRY(const std::size_t got, first.file->read_at(first.at, to.first(part)));
            if (got < part) return truncated();
        } else {
            std::ranges::copy(first.rest.first(part), to.begin());
        }
        drop(part);
        to = to.subspan(part);
        total += part;
    }
    return total;
}

// Takes `bytes` off the front.
void SendQueue::drop(std::size_t bytes) {
    bytes_ -= bytes;
    while (bytes > 0) {
        Chunk& chunk = chunks_[next_];
        if (chunk.file) {
            chunk.file_bytes -= bytes;
            chunk.at.value += static_cast<std::int64_t>(bytes);
            if (chunk.file_bytes == 0) pop();
            return;
        }
        const std::size_t part = std::min(bytes, chunk.rest.size());
        chunk.rest = chunk.rest.subspan(part);
        bytes -= part;
        if (chunk.rest.empty()) pop();
    }
}

void SendQueue::pop() {
    constexpr std::size_t kMoveBack = 32;
    constexpr std::size_t kKeptChunks = 4;
    const Chunk done = std::move(chunks_[next_++]);
    if (empty()) {
        chunks_.clear();
        if (chunks_.capacity() > kKeptChunks) chunks_.shrink_to_fit();
        next_ = 0;
    } else if (next_ >= kMoveBack && next_ * 2 >= chunks_.size()) {
        chunks_.erase(chunks_.begin(), chunks_.begin() + static_cast<std::ptrdiff_t>(next_));
        next_ = 0;
    }
}

}  // namespace leat::rt
