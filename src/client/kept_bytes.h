// SPDX-License-Identifier: Apache-2.0
//
// Bytes that many records point into, freed with the last of them. Layer: client (L3). Internal to
// client.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "base/units.h"

namespace leat::client {

/// The count is no atomic: two of those for each record would be a good part of what it costs.
/// Threading: one thread at a time; who hands references over sees to it that they are all taken
///            before the first one is given.
class KeptBytes {
  public:
    explicit KeptBytes(std::vector<std::byte> bytes) noexcept : bytes_(std::move(bytes)) {}
    KeptBytes(const KeptBytes&) = delete;
    KeptBytes& operator=(const KeptBytes&) = delete;
    ~KeptBytes() = default;

    [[nodiscard]] Bytes view() const noexcept { return bytes_; }
    void keep() noexcept { ++users_; }
    static void drop(void* bytes) noexcept {
        auto* mine = static_cast<KeptBytes*>(bytes);
        if (--mine->users_ == 0) const std::unique_ptr<KeptBytes> last{mine};
    }

  private:
    std::vector<std::byte> bytes_;
    std::size_t users_ = 0;
};

/// Threading: as KeptBytes.
class KeptRef {
  public:
    KeptRef() = default;
    explicit KeptRef(KeptBytes& bytes) noexcept : bytes_(&bytes) { bytes.keep(); }
    static KeptRef of(std::vector<std::byte> bytes) {
        return KeptRef{*std::make_unique<KeptBytes>(std::move(bytes)).release()};
    }
    KeptRef(const KeptRef& other) noexcept : bytes_(other.bytes_) {
        if (bytes_ != nullptr) bytes_->keep();
    }
    KeptRef(KeptRef&& other) noexcept : bytes_(std::exchange(other.bytes_, nullptr)) {}
    KeptRef& operator=(KeptRef other) noexcept {
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    ~KeptRef() {
        if (bytes_ != nullptr) KeptBytes::drop(bytes_);
    }

    [[nodiscard]] KeptBytes* get() const noexcept { return bytes_; }
    [[nodiscard]] Bytes view() const noexcept {
        return bytes_ == nullptr ? Bytes{} : bytes_->view();
    }

  private:
    KeptBytes* bytes_ = nullptr;
};

}  // namespace leat::client
