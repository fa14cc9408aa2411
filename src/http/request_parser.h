// SPDX-License-Identifier: Apache-2.0
//
// Bytes in, HTTP/1.1 requests out; no socket and no clock. Layer: http (L2).
// Spec:  RFC 9112; Content-Length and chunked bodies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/units.h"
#include "http/message.h"

namespace leat::http {

struct Limits {
    std::size_t header_bytes_max = std::size_t{16} * 1024;  ///< Request line and headers.
    std::size_t body_bytes_max = std::size_t{64} * 1024;
};

/// Parses one request after another from a stream.
///
/// Threading: not synchronised.
/// Memory:    at most the two limits, plus the same again for the decoded copy.
/// Failure:   after an error the stream cannot be understood any more; the caller answers with
///            error_status() and closes.
class RequestParser {
  public:
    explicit RequestParser(Limits limits) : limits_(limits) {}
    RequestParser(const RequestParser&) = delete;
    RequestParser& operator=(const RequestParser&) = delete;

    /// Takes bytes up to the end of the current request; returns how many it took. Takes none when
    /// is_done(): take() comes first. The caller offers what was not taken again, later bytes
    /// behind.
    ///
    /// Errors: kMalformed, kLimitExceeded.
    Result<std::size_t> feed(Bytes bytes);
    /// What an error of feed() is answered with: 400, 413 (the body) or 431 (the headers).
    [[nodiscard]] std::int16_t error_status() const noexcept { return error_status_; }

    /// A whole request is there.
    [[nodiscard]] bool is_done() const noexcept { return state_ == State::kDone; }
    /// Nothing of a next request was read yet.
    [[nodiscard]] bool is_idle() const noexcept {
        return state_ == State::kHead && pending_.empty();
    }
    /// True once for a request that waits for "100 Continue" before it sends its body.
    [[nodiscard]] bool take_expects_continue() noexcept;

    /// The request; the parser is then ready for the next one. Precondition: is_done().
    [[nodiscard]] Request take();

  private:
    enum class State : std::uint8_t {
        kHead,
        kSized,
        kChunkSize,
        kChunk,
        kChunkEnd,
        kTrailer,
        kDone
    };

    /// One state's work; false when it needs more bytes.
    Result<bool> step();
    Result<bool> read_head();
    Result<bool> read_chunk_size();
    Result<bool> read_trailer();
    Result<void> choose_body();
    bool read_data(State next);
    Error too_large(std::int16_t status, std::string_view what);

    Limits limits_;
    State state_ = State::kHead;
    Request request_;
    std::string pending_;        ///< Bytes not yet understood.
    std::size_t body_left_ = 0;  ///< Of the body, or of the current chunk.
    std::size_t trailer_bytes_ = 0;
    bool expects_continue_ = false;
    std::int16_t error_status_ = 400;
};

}  // namespace leat::http
