// SPDX-License-Identifier: Apache-2.0
#include "storage/directory_health.h"

#include <utility>

#include "obs/log.h"

namespace leat::storage {
namespace {

constexpr obs::Logger kLog{"storage"};

void tell(const std::weak_ptr<DirectoryHealth::Listener>& who) {
    const auto listener = who.lock();
    if (!listener) return;
    listener->executor.post([who] {
        if (const auto alive = who.lock()) alive->on_failed();
    });
}

}  // namespace

void DirectoryHealth::fail(const Error& error) {
    std::vector<std::weak_ptr<Listener>> listeners;
    {
        const std::lock_guard lock{mutex_};
        if (failed_.load(std::memory_order_relaxed)) return;
        reason_ = std::string{info(error.code()).name};
        if (!error.detail().empty()) reason_ += ": " + std::string{error.detail()};
        failed_.store(true, std::memory_order_release);
        listeners = std::exchange(listeners_, {});
    }
    kLog.error("data directory offline until restart",
               {{"error", error.code()}, {"detail", error.detail()}});
    for (const auto& listener : listeners) tell(listener);
}

std::string DirectoryHealth::reason() const {
    const std::lock_guard lock{mutex_};
    return reason_;
}

void DirectoryHealth::listen(const std::shared_ptr<Listener>& listener) {
    {
        const std::lock_guard lock{mutex_};
        if (!failed_.load(std::memory_order_relaxed)) {
            std::erase_if(listeners_, [](const auto& known) { return known.expired(); });
            listeners_.push_back(listener);
            return;
        }
    }
    tell(listener);
}

}  // namespace leat::storage
