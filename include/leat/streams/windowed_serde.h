// SPDX-License-Identifier: Apache-2.0
//
// Keys with their window as bytes. Layer: streams SDK.
// Spec:  Kafka Streams' WindowedSerdes. Of time windows: the key, then the window's start in 8
// big-endian bytes; the end is not written, who reads must know the size. Of sessions: the key,
// then the end, then the start. No bytes at all are null where a topic is read.
// Threading: as serde.h.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "leat/streams/serde.h"
#include "leat/streams/windows.h"

namespace leat::streams {

namespace detail {

/// A windowed key taken apart; `key` points into the bytes.
struct SplitWindowed {
    std::string_view key{};
    Window window{};
};

/// How the bounds of a time window stand behind a key.
struct TimeBounds {
    Duration size{};
    /// As a window store's changelog has them: with a number of 4 bytes behind the start.
    bool numbered = false;
    void append(std::string& out, const Window& window) const;
    /// Errors: kInvalidRecord (too short, or no such window).
    [[nodiscard]] Result<SplitWindowed> split(std::string_view bytes) const;
};
/// Those of a session.
struct SessionBounds {
    static void append(std::string& out, const Window& window);
    /// Errors: as above.
    [[nodiscard]] static Result<SplitWindowed> split(std::string_view bytes);
};

template <class T>
inline constexpr bool kIsWindowed = false;
template <class K>
inline constexpr bool kIsWindowed<Windowed<K>> = true;
template <class T>
concept IsWindowed = kIsWindowed<T>;

/// Encodes a key without its window; partitions of windowed keys go by that.
template <class K>
class InnerKeyCodec : public Codec<Windowed<K>> {
  public:
    explicit InnerKeyCodec(Serde<K> inner) : inner_(std::move(inner)) {}
    Result<void> encode_inner(std::string_view topic, const Windowed<K>& key,
                              std::string& out) const {
        return inner_->encode(topic, key.key, out);
    }

  protected:
    Serde<K> inner_;
};

template <class K, class Bounds>
class WindowedCodec final : public InnerKeyCodec<K> {
  public:
    WindowedCodec(Serde<K> inner, Bounds bounds)
        : InnerKeyCodec<K>(std::move(inner)), bounds_(bounds) {}
    Result<void> encode(std::string_view topic, const Windowed<K>& key,
                        std::string& out) const override {
        LEAT_TRY_VOID(this->encode_inner(topic, key, out));
        bounds_.append(out, key.window);
        return {};
    }
    Result<Windowed<K>> decode(std::string_view topic, std::string_view bytes) const override {
        LEAT_TRY(const SplitWindowed parts, bounds_.split(bytes));
        LEAT_TRY(K key, this->inner_->decode(topic, parts.key));
        return Windowed<K>{std::move(key), parts.window};
    }
    [[nodiscard]] bool empty_is_null() const override { return true; }

  private:
    Bounds bounds_;
};

/// Empty when `inner` is.
template <class K, class Bounds>
Serde<Windowed<K>> windowed(const Serde<K>& inner, Bounds bounds) {
    if (!inner) return {};
    return std::make_shared<WindowedCodec<K, Bounds>>(inner, bounds);
}

}  // namespace detail

/// Keys of time windows of this size, with the key's own serde unless another is given. The size
/// matters to reading only; Duration::max() gives windows without an end.
template <class K>
Serde<Windowed<K>> time_windowed(Duration size, Serde<K> inner = serde_for<K>()) {
    return detail::windowed(inner, detail::TimeBounds{size});
}
/// The same in the changelog of a window store.
template <class K>
Serde<Windowed<K>> time_windowed_changelog(Duration size, Serde<K> inner = serde_for<K>()) {
    return detail::windowed(inner, detail::TimeBounds{size, true});
}
/// Keys of sessions.
template <class K>
Serde<Windowed<K>> session_windowed(Serde<K> inner = serde_for<K>()) {
    return detail::windowed(inner, detail::SessionBounds{});
}

}  // namespace leat::streams
