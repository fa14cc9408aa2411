// SPDX-License-Identifier: Apache-2.0
//
// What was decided for one connection, so that rules are asked once. Layer: auth (L2). Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "auth/acl.h"

namespace leat::auth {

/// A small direct-mapped cache; a newer answer takes an older one's place.
///
/// Invariant: all in it was decided with the rules of version().
/// Threading: not synchronised; one connection's own.
/// Memory:    nothing before the first put().
class Decisions {
  public:
    /// nullopt: not known. Forgets everything when `version`, of rules and principal, is another
    /// than before.
    [[nodiscard]] std::optional<bool> get(std::uint64_t version, Operation operation,
                                          ResourceType type, std::string_view name);
    /// Precondition: get() was asked for the same just before.
    void put(Operation operation, ResourceType type, std::string_view name, bool is_allowed);

  private:
    struct Slot {
        std::string name;
        ResourceType type = ResourceType::kUnknown;
        std::uint16_t known = 0;    ///< Bits of operations.
        std::uint16_t allowed = 0;  ///< Of those known.
    };
    static constexpr std::size_t kSlots = 64;
    [[nodiscard]] static std::size_t slot_of(ResourceType type, std::string_view name) noexcept;

    std::unique_ptr<std::array<Slot, kSlots>> slots_;
    std::uint64_t version_ = 0;
};

}  // namespace leat::auth
