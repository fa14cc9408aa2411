// SPDX-License-Identifier: Apache-2.0
//
// Bump allocator for what lives as long as one request. Layer: base (L0).
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/check.h"
#include "base/units.h"

namespace leat {

/// Hands out memory that is freed all at once; no destructor of what lies in it ever runs.
///
/// Threading: not synchronised.
/// Memory:    blocks double from 4 KiB to 256 KiB; larger requests get a block of their own.
///            reset() keeps the first block, so a reused arena does not allocate for ordinary
///            requests.
class Arena {
  public:
    Arena() = default;
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;
    Arena(Arena&&) = default;
    Arena& operator=(Arena&&) = default;
    ~Arena() = default;

    /// `count` value-initialised objects. Precondition: the caller has bounded `count`.
    template <class T>
    [[nodiscard]] std::span<T> array(std::size_t count) {
        static_assert(std::is_trivially_destructible_v<T>);
        if (count == 0) return {};
        T* first = static_cast<T*>(allocate(count * sizeof(T), alignof(T)));
        std::uninitialized_value_construct_n(first, count);
        return {first, count};
    }

    /// A copy of `text` that lives as long as the arena.
    [[nodiscard]] std::string_view copy(std::string_view text) {
        if (text.empty()) return "";  // Empty is not null: data() stays non-null.
        char* to = static_cast<char*>(allocate(text.size(), 1));
        std::memcpy(to, text.data(), text.size());
        return {to, text.size()};
    }
    [[nodiscard]] Bytes copy(Bytes bytes) {
        const std::string_view text =
            copy(std::string_view{reinterpret_cast<const char*>(bytes.data()), bytes.size()});
        return std::as_bytes(std::span{text.data(), text.size()});
    }

    /// Frees all but the first block.
    void reset() noexcept;

    /// Bytes held from the heap.
    [[nodiscard]] std::size_t capacity_bytes() const noexcept { return capacity_; }

  private:
    static constexpr std::size_t kFirstBlock = 4096;
    static constexpr std::size_t kBlockMax = std::size_t{256} * 1024;

    void* allocate(std::size_t size, std::size_t alignment);

    std::vector<std::unique_ptr<std::byte[]>> blocks_;
    std::byte* next_ = nullptr;
    std::size_t left_ = 0;
    std::size_t first_size_ = 0;
    std::size_t next_block_ = kFirstBlock;
    std::size_t capacity_ = 0;
};

}  // namespace leat
