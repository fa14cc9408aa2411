// SPDX-License-Identifier: Apache-2.0
#include "auth/decisions.h"

#include <functional>

namespace leat::auth {
namespace {

std::uint16_t bit(Operation operation) {
    return static_cast<std::uint16_t>(1U << static_cast<unsigned>(operation));
}

}  // namespace

std::size_t Decisions::slot_of(ResourceType type, std::string_view name) noexcept {
    return (std::hash<std::string_view>{}(name) + static_cast<std::size_t>(type)) % kSlots;
}

std::optional<bool> Decisions::get(std::uint64_t version, Operation operation, ResourceType type,
                                   std::string_view name) {
    if (version != version_) {
        slots_.reset();
        version_ = version;
        return std::nullopt;
    }
    if (!slots_) return std::nullopt;
    const Slot& slot = (*slots_)[slot_of(type, name)];
    if ((slot.known & bit(operation)) == 0 || slot.type != type || slot.name != name)
        return std::nullopt;
    return (slot.allowed & bit(operation)) != 0;
}

void Decisions::put(Operation operation, ResourceType type, std::string_view name,
                    bool is_allowed) {
    if (!slots_) slots_ = std::make_unique<std::array<Slot, kSlots>>();
    Slot& slot = (*slots_)[slot_of(type, name)];
    if (slot.type != type || slot.name != name) {
        slot.name = name;
        slot.type = type;
        slot.known = slot.allowed = 0;
    }
    slot.known |= bit(operation);
    if (is_allowed)
        slot.allowed |= bit(operation);
    else
        slot.allowed = static_cast<std::uint16_t>(slot.allowed & ~bit(operation));
}

}  // namespace leat::auth
