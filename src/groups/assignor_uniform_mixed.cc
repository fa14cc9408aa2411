// SPDX-License-Identifier: Apache-2.0
//
// The uniform assignor for members that read different topics: what each had it keeps, what nobody
// has goes to whoever has least, and then topic by topic partitions move from those that have most
// to those that have least.
#include <algorithm>
#include <limits>
#include <numeric>

#include "base/check.h"
#include "groups/assignor_parts.h"

namespace leat::groups {
namespace {

/// A member by its place in the walk; -1 for nobody.
using Place = std::int32_t;
constexpr Place kNobody = -1;
/// Rounds over all topics. With overlapping subscriptions there may always be one more move.
constexpr int kRoundsMax = 16;

/// Readers of one topic by how much they have, so that the next to give to and the next to take
/// from are found in constant time. Two ranges grow towards each other: [0, low_end) of those that
/// have least, [high_begin, high_end) of those that have most; within a range all have the same
/// when a round through it begins. Those that have nothing to give are swapped out behind high_end.
class Scale {
  public:
    explicit Scale(const std::vector<std::int32_t>& sizes) : sizes_(sizes) {}

    /// The difference between the most and the least.
    std::int32_t load(const std::vector<Place>& readers) {
        LEAT_CHECK(!readers.empty());
        sorted_ = readers;
        std::ranges::sort(sorted_, [this](Place a, Place b) {
            return std::pair{size(a), a} < std::pair{size(b), b};
        });
        low_end_ = 0;
        low_next_ = 0;
        low_level_ = size(sorted_.front()) - 1;
        high_begin_ = std::ssize(sorted_);
        high_end_ = high_begin_;
        high_next_ = high_begin_ - 1;
        high_level_ = size(sorted_.back()) + 1;
        return size(sorted_.back()) - size(sorted_.front());
    }

    /// Who takes the next partition; counts on that it does.
    Place next_low() {
        if (low_next_ >= low_end_) {
            ++low_level_;
            while (low_end_ < std::ssize(sorted_) && size(at(low_end_)) == low_level_) ++low_end_;
            low_next_ = 0;
        }
        return at(low_next_++);
    }

    /// Who gives one away; counts on that it does. kNobody when nobody is left that can.
    Place next_high() {
        if (high_next_ < high_begin_) {
            if (high_end_ <= high_begin_ && high_begin_ > 0)
                high_level_ = size(at(high_begin_ - 1));
            else
                --high_level_;
            while (high_begin_ > 0 && size(at(high_begin_ - 1)) == high_level_) --high_begin_;
            high_next_ = high_end_ - 1;
        }
        if (high_next_ < 0) return kNobody;
        return at(high_next_--);
    }

    /// The last one of next_high() has nothing to give.
    void pass_over() {
        std::swap(at(high_next_ + 1), at(high_end_ - 1));
        --high_end_;
    }

    [[nodiscard]] bool is_level() const { return high_level_ - low_level_ <= 1; }

  private:
    [[nodiscard]] std::int32_t size(Place place) const {
        return sizes_[static_cast<std::size_t>(place)];
    }
    Place& at(std::ptrdiff_t index) { return sorted_[static_cast<std::size_t>(index)]; }

    const std::vector<std::int32_t>& sizes_;
    std::vector<Place> sorted_;
    std::ptrdiff_t low_end_ = 0;
    std::ptrdiff_t low_next_ = 0;
    std::int32_t low_level_ = 0;
    std::ptrdiff_t high_begin_ = 0;
    std::ptrdiff_t high_end_ = 0;
    std::ptrdiff_t high_next_ = 0;
    std::int32_t high_level_ = 0;
};

struct Topic {
    Uuid id;
    std::vector<Place> readers = {};
    std::vector<Place> owners = {};  ///< Of each partition.

    [[nodiscard]] double partitions_per_reader() const {
        return static_cast<double>(owners.size()) / static_cast<double>(readers.size());
    }
};

class Mixed {
  public:
    explicit Mixed(const AssignorInput& input)
        : input_(input), order_(walk_members(input)), sizes_(order_.size()), scale_(sizes_) {}

    std::vector<TopicPartitions> run() {
        find_readers();
        keep_what_is_read();
        sort_topics();
        hand_out_free();
        balance();
        return result();
    }

  private:
    [[nodiscard]] const AssignedMember& member(Place place) const {
        return input_.members[order_[static_cast<std::size_t>(place)]];
    }
    [[nodiscard]] std::int32_t& size(Place place) {
        return sizes_[static_cast<std::size_t>(place)];
    }

    void find_readers() {
        for (Place place = 0; place < std::ssize(order_); ++place) {
            for (const Uuid& id : member(place).topics) {
                const auto [at, is_new] = index_.try_emplace(id, topics_.size());
                if (is_new) {
                    topics_.push_back({id});
                    topics_.back().owners.resize(
                        static_cast<std::size_t>(input_.partition_count(id)), kNobody);
                }
                topics_[at->second].readers.push_back(place);
            }
        }
    }

    void keep_what_is_read() {
        for (Place place = 0; place < std::ssize(order_); ++place) {
            const AssignedMember& each = member(place);
            if (each.target == nullptr) continue;
            for (const auto& [id, partitions] : *each.target) {
                if (std::ranges::find(each.topics, id) == each.topics.end()) continue;
                Topic& topic = topics_[index_.at(id)];
                size(place) += static_cast<std::int32_t>(partitions.size());
                for (const std::int32_t partition : partitions)
                    topic.owners[static_cast<std::size_t>(partition)] = place;
            }
        }
    }

    /// Those with many partitions for each reader first: they are the hardest to spread.
    void sort_topics() {
        std::ranges::sort(topics_, [](const Topic& a, const Topic& b) {
            if (a.partitions_per_reader() != b.partitions_per_reader())
                return a.partitions_per_reader() > b.partitions_per_reader();
            if (a.readers.size() != b.readers.size()) return a.readers.size() < b.readers.size();
            return is_below(a.id, b.id);
        });
    }

    /// As Java compares them: two signed halves.
    static bool is_below(const Uuid& a, const Uuid& b) {
        const auto sortable = [](Uuid id) {
            id.bytes[0] ^= 0x80U;
            id.bytes[8] ^= 0x80U;
            return id;
        };
        return sortable(a) < sortable(b);
    }

    void hand_out_free() {
        for (Topic& topic : topics_) {
            scale_.load(topic.readers);
            for (Place& owner : topic.owners) {
                if (owner != kNobody) continue;
                owner = scale_.next_low();
                ++size(owner);
            }
        }
    }

    void balance() {
        std::vector<Topic*> movable;
        for (Topic& topic : topics_)
            if (topic.readers.size() >= 2) movable.push_back(&topic);
        // Done when a whole turn since the last topic that changed brought nothing.
        std::ptrdiff_t last_changed = -1;
        for (int round = 0; round < kRoundsMax; ++round) {
            for (std::ptrdiff_t i = 0; i < std::ssize(movable); ++i) {
                if (i == last_changed) return;
                const bool has_changed = balance(*movable[static_cast<std::size_t>(i)]);
                if (has_changed || last_changed == -1) last_changed = i;
            }
        }
    }

    /// Whether any partition moved.
    bool balance(Topic& topic) {
        if (scale_.load(topic.readers) <= 1) return false;
        // Partitions of one owner lie together, so that its last one is at hand.
        std::vector<std::int32_t> sorted(topic.owners.size());
        std::iota(sorted.begin(), sorted.end(), 0);
        std::ranges::sort(sorted, {}, [&topic](std::int32_t partition) {
            return std::pair{topic.owners[static_cast<std::size_t>(partition)], partition};
        });
        std::map<Place, std::vector<std::int32_t>> owned;
        for (const std::int32_t partition : sorted)
            owned[topic.owners[static_cast<std::size_t>(partition)]].push_back(partition);
        bool has_moved = false;
        while (!scale_.is_level()) {
            const Place from = next_giver(owned);
            if (from == kNobody) break;
            const auto partition = static_cast<std::size_t>(owned[from].back());
            owned[from].pop_back();
            const Place to = scale_.next_low();
            if (scale_.is_level()) break;
            topic.owners[partition] = to;
            --size(from);
            ++size(to);
            has_moved = true;
        }
        return has_moved;
    }

    Place next_giver(const std::map<Place, std::vector<std::int32_t>>& owned) {
        for (;;) {
            const Place from = scale_.next_high();
            if (from == kNobody) return kNobody;
            const auto at = owned.find(from);
            if (at != owned.end() && !at->second.empty()) return from;
            scale_.pass_over();
        }
    }

    [[nodiscard]] std::vector<TopicPartitions> result() const {
        std::vector<TopicPartitions> out(order_.size());
        for (const Topic& topic : topics_)
            for (std::size_t p = 0; p < topic.owners.size(); ++p)
                out[order_[static_cast<std::size_t>(topic.owners[p])]][topic.id].push_back(
                    static_cast<std::int32_t>(p));
        return out;
    }

    const AssignorInput& input_;
    std::vector<std::uint32_t> order_;
    std::vector<std::int32_t> sizes_;
    Scale scale_;
    std::vector<Topic> topics_;
    std::map<Uuid, std::size_t> index_;  ///< Into topics_, before they are sorted.
};

}  // namespace

std::vector<TopicPartitions> assign_uniform_mixed(const AssignorInput& input) {
    return Mixed{input}.run();
}

}  // namespace leat::groups
