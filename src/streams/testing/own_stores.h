// SPDX-License-Identifier: Apache-2.0
//
// Stores as a user may write them: maps, and one that keeps a map in a file. Layer: streams (L6),
// tests only.
// Threading: as the stores they are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <istream>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "leat/streams/store_suppliers.h"

namespace leat::streams::testing_own {

/// What happened to the stores of one supplier.
struct Diary {
    int made = 0;
    int closed = 0;
    int flushed = 0;
    std::size_t restored = 0;  ///< Records.
    std::vector<std::int64_t> expired{};
    std::vector<StoreContext> contexts{};
    bool throws = false;  ///< Whatever puts.
};

/// From the first of `rows` that `walk` is for to the last, or the other way round.
template <class Iterator, class Call>
void walk(Iterator first, Iterator last, bool descending, const Call& call) {
    if (descending) {
        while (first != last)
            if (!call(*--last)) return;
        return;
    }
    for (; first != last; ++first)
        if (!call(*first)) return;
}

class MapStore : public KeyValueBytesStore {
  public:
    explicit MapStore(std::shared_ptr<Diary> diary) : diary_(std::move(diary)) {}
    Result<void> init(const StoreContext& context) override {
        diary_->contexts.push_back(context);
        return {};
    }
    Result<void> flush() override {
        ++diary_->flushed;
        return {};
    }
    Result<void> close() override {
        ++diary_->closed;
        return {};
    }
    [[nodiscard]] Result<std::optional<std::string>> get(std::string_view key) const override {
        const auto found = rows.find(key);
        if (found == rows.end()) return std::optional<std::string>{};
        return std::optional{found->second};
    }
    Result<void> put(std::string_view key, std::optional<std::string_view> value) override {
        if (diary_->throws)
            throw std::runtime_error{"the disk is full"};  // tidy: right here, a user's may throw.
        if (value)
            rows.insert_or_assign(std::string{key}, std::string{*value});
        else if (const auto found = rows.find(key); found != rows.end())
            rows.erase(found);
        return {};
    }
    Result<void> range(std::string_view from, std::optional<std::string_view> to,
                       const Visit& visit, bool descending) const override {
        const auto last = to ? rows.lower_bound(*to) : rows.end();
        walk(rows.lower_bound(from), last, descending,
             [&](const auto& row) { return visit(row.first, row.second); });
        return {};
    }
    Result<void> restore(std::span<const Change> changes) override {
        diary_->restored += changes.size();
        return put_all(changes);
    }
    std::map<std::string, std::string, std::less<>> rows;

  protected:
    std::shared_ptr<Diary> diary_;
};

/// Its map is in a file, as of the last flush.
class FileStore : public MapStore {
  public:
    using MapStore::MapStore;
    Result<void> init(const StoreContext& context) override {
        LEAT_TRY_VOID(MapStore::init(context));
        path_ = context.state_dir + "/rows";
        std::ifstream in{path_, std::ios::binary};
        for (std::string key; read(in, key);) {
            if (!read(in, rows[key])) return Error{Errc::kIoError, path_ + " is cut off"};
        }
        return {};
    }
    Result<void> flush() override {
        LEAT_TRY_VOID(MapStore::flush());
        // Beside it first: who is killed in between finds what was there before.
        const std::string next = path_ + ".next";
        std::ofstream out{next, std::ios::trunc | std::ios::binary};
        for (const auto& [key, value] : rows)
            out << key.size() << ' ' << key << value.size() << ' ' << value;
        out.close();
        std::error_code failed;
        if (out) std::filesystem::rename(next, path_, failed);
        if (!out || failed) return Error{Errc::kIoError, path_ + " is not written"};
        return {};
    }

  private:
    /// Length, a space, bytes.
    static bool read(std::istream& in, std::string& out) {
        std::size_t size = 0;
        if (!(in >> size)) return false;
        in.get();
        out.resize(size);
        return static_cast<bool>(in.read(out.data(), static_cast<std::streamsize>(size)));
    }
    std::string path_;
};

template <class Store>
auto maker(const std::shared_ptr<Diary>& diary) {
    return [diary] {
        ++diary->made;
        return std::make_unique<Store>(diary);
    };
}
inline KeyValueBytesStoreSupplier map_store(std::string name, const std::shared_ptr<Diary>& diary,
                                            StoreTraits traits = {}) {
    return {.name = std::move(name), .get = maker<MapStore>(diary), .traits = std::move(traits)};
}
}  // namespace leat::streams::testing_own
