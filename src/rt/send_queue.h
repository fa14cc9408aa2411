// SPDX-License-Identifier: Apache-2.0
//
// Bytes and file ranges that wait for a socket, in order. Layer: rt (L1).
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "rt/disk.h"

namespace leat::rt {

/// Threading: not synchronised.
/// Memory:    owns or shares what it holds; empty, it keeps room for a few entries.
class SendQueue {
  public:
    /// Queues what of `bytes` is left from `from`.
    void push(std::vector<std::byte> bytes, std::size_t from);
    void push(std::shared_ptr<const void> keep, Bytes bytes);
    void push_file(std::shared_ptr<File> file, FilePos at, std::size_t bytes);
    void clear();

    [[nodiscard]] bool empty() const noexcept { return next_ == chunks_.size(); }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
    [[nodiscard]] std::size_t count() const noexcept { return chunks_.size() - next_; }

    /// Writes to socket `fd` until all is written, the socket is full, or a bound is reached that
    /// keeps one peer from holding the loop. Returns the bytes that the kernel took.
    /// Errors: kTruncated when a file ends early; kIoError.
    Result<std::size_t> write_to(int fd);

    /// Takes the first bytes of the queue off it, into `to`; returns how many: 0 only when empty.
    /// Errors: kTruncated, kIoError: as write_to().
    Result<std::size_t> take(MutableBytes to);

  private:
    struct Chunk {
        std::vector<std::byte> owned;
        std::shared_ptr<const void> keep;
        std::shared_ptr<File> file;  ///< Null: `rest` is what is left.
        Bytes rest;
        FilePos at;
        std::size_t file_bytes = 0;  ///< Left of the file's range.
    };
    struct Wrote {
        std::size_t bytes = 0;
        bool is_full = false;  ///< The socket takes no more for now.
    };

    Result<Wrote> write_one(int fd);
    Result<Wrote> write_bytes(int fd);
    Result<Wrote> write_file(int fd, Chunk& chunk);
    Result<Wrote> copy_file(int fd, Chunk& chunk);
    void drop(std::size_t bytes);
    void pop();

    std::vector<Chunk> chunks_;
    std::size_t next_ = 0;  ///< First of chunks_ that is not sent.
    std::size_t bytes_ = 0;
};

}  // namespace leat::rt
