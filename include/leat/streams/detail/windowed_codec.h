// SPDX-License-Identifier: Apache-2.0
//
// Keys with their window as bytes. Layer: streams SDK, not for users.
// Spec:  Kafka Streams' TimeWindowedSerializer: the key, then the window's start in 8 big-endian
// bytes. The end is not written; who reads must know the size. SessionWindowedSerializer: the key,
// then the end, then the start.
// Threading: as serde.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "leat/streams/serde.h"
#include "leat/streams/windows.h"

namespace leat::streams {

namespace detail {

template <class K>
class TimeWindowedCodec final : public Codec<Windowed<K>> {
  public:
    TimeWindowedCodec(Serde<K> inner, Duration size) : inner_(std::move(inner)), size_(size) {}
    Result<void> encode(std::string_view topic, const Windowed<K>& key,
                        std::string& out) const override {
        if (auto done = inner_->encode(topic, key.key, out); !done) return done;
        return start_.encode(topic, key.window.start, out);
    }
    Result<Windowed<K>> decode(std::string_view topic, std::string_view bytes) const override {
        if (bytes.size() < sizeof(std::int64_t))
            return Error{Errc::kInvalidRecord, "a windowed key is shorter than its window"};
        const auto at = bytes.size() - sizeof(std::int64_t);
        auto key = inner_->decode(topic, bytes.substr(0, at));
        if (!key) return std::move(key).error();
        auto start = start_.decode(topic, bytes.substr(at));
        if (!start) return std::move(start).error();
        const std::int64_t size = size_.count();
        constexpr auto kLast = std::numeric_limits<std::int64_t>::max();
        return Windowed<K>{*std::move(key),
                           {*start, *start > kLast - size ? kLast : *start + size}};
    }

  private:
    Serde<K> inner_;
    NumberCodec<std::int64_t> start_;
    Duration size_;
};

template <class K>
class SessionWindowedCodec final : public Codec<Windowed<K>> {
  public:
    explicit SessionWindowedCodec(Serde<K> inner) : inner_(std::move(inner)) {}
    Result<void> encode(std::string_view topic, const Windowed<K>& key,
                        std::string& out) const override {
        if (auto done = inner_->encode(topic, key.key, out); !done) return done;
        if (auto done = bound_.encode(topic, key.window.end, out); !done) return done;
        return bound_.encode(topic, key.window.start, out);
    }
    Result<Windowed<K>> decode(std::string_view topic, std::string_view bytes) const override {
        constexpr std::size_t kBound = sizeof(std::int64_t);
        if (bytes.size() < 2 * kBound)
            return Error{Errc::kInvalidRecord, "a session's key is shorter than its window"};
        const auto at = bytes.size() - 2 * kBound;
        auto key = inner_->decode(topic, bytes.substr(0, at));
        if (!key) return std::move(key).error();
        auto end = bound_.decode(topic, bytes.substr(at, kBound));
        if (!end) return std::move(end).error();
        auto start = bound_.decode(topic, bytes.substr(at + kBound));
        if (!start) return std::move(start).error();
        return Windowed<K>{*std::move(key), {*start, *end}};
    }

  private:
    Serde<K> inner_;
    NumberCodec<std::int64_t> bound_;
};

/// Empty when `inner` is.
template <class K>
Serde<Windowed<K>> session_keys(const Serde<K>& inner) {
    if (!inner) return {};
    return std::make_shared<SessionWindowedCodec<K>>(inner);
}

/// Empty when `inner` is.
template <class K>
Serde<Windowed<K>> windowed(const Serde<K>& inner, Duration size) {
    if (!inner) return {};
    return std::make_shared<TimeWindowedCodec<K>>(inner, size);
}

}  // namespace detail

/// Keys of time windows of this size, with the key's own serde unless another is given.
template <class K>
Serde<Windowed<K>> time_windowed(Duration size, Serde<K> inner = serde_for<K>()) {
    return detail::windowed(inner, size);
}
/// Keys of sessions.
template <class K>
Serde<Windowed<K>> session_windowed(Serde<K> inner = serde_for<K>()) {
    return detail::session_keys(inner);
}

}  // namespace leat::streams
