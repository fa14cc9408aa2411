// SPDX-License-Identifier: Apache-2.0
#include "streams/cluster/cheapest_places.h"

#include <algorithm>
#include <deque>
#include <limits>
#include <set>

namespace leat::streams {
namespace {

constexpr std::size_t kNobody = std::numeric_limits<std::size_t>::max();
constexpr std::int64_t kFar = std::numeric_limits<std::int64_t>::max();

/// Things are added one by one, each on the cheapest way (successive shortest paths): a way ends at
/// a place with room, and on it one thing may push another one on. Nodes are boxes, one a kind and
/// place, and behind them the places: few, however many things there are.
class Places {
  public:
    explicit Places(const PlacesProblem& problem)
        : problem_(problem),
          places_(problem.places),
          boxes_(problem.limits.size() * problem.places),
          things_(boxes_),
          pushes_(boxes_ * places_),
          room_(places_),
          now_(problem.at.size(), kNobody) {
        for (const std::size_t place : problem.at) ++room_[place];
    }

    std::vector<std::size_t> run() {
        // What costs nothing where it is stays: so the ways begin at the least cost there is.
        for (std::size_t thing = 0; thing < now_.size(); ++thing) {
            const std::size_t place = problem_.at[thing];
            const std::size_t box = box_of(thing, place);
            if (cost(thing, place) > 0 || is_full(box)) continue;
            things_[box].insert(thing);
            now_[thing] = place;
            --room_[place];
        }
        for (std::size_t box = 0; box < boxes_; ++box) look_for_pushes(box);
        for (std::size_t thing = 0; thing < now_.size(); ++thing)
            if (now_[thing] == kNobody && !add(thing)) return problem_.at;
        return now_;
    }

  private:
    struct Push {
        std::int64_t cost = kFar;
        std::size_t thing = kNobody;
    };

    /// Of the same cost, staying is cheaper: all moves together count less than one of the cost.
    [[nodiscard]] std::int64_t cost(std::size_t thing, std::size_t place) const {
        const auto moves = static_cast<std::int64_t>(now_.size()) + 1;
        return problem_.costs[thing][place] * moves + (place == problem_.at[thing] ? 0 : 1);
    }
    [[nodiscard]] std::size_t box_of(std::size_t thing, std::size_t place) const {
        return problem_.kinds[thing] * places_ + place;
    }
    [[nodiscard]] bool is_full(std::size_t box) const {
        return things_[box].size() >= problem_.limits[box / places_][box % places_];
    }

    /// The cheapest of a box to be pushed to each place.
    void look_for_pushes(std::size_t box) {
        for (std::size_t to = 0; to < places_; ++to) {
            Push best;
            for (const std::size_t thing : things_[box]) {
                const std::int64_t more = cost(thing, to) - cost(thing, box % places_);
                if (more < best.cost) best = {.cost = more, .thing = thing};
            }
            pushes_[box * places_ + to] = best;
        }
    }

    /// False: there is no way.
    bool add(std::size_t thing) {
        far_.assign(boxes_ + places_, kFar);
        from_.assign(boxes_ + places_, kNobody);
        waits_.assign(boxes_ + places_, false);
        for (std::size_t place = 0; place < places_; ++place)
            reach(box_of(thing, place), cost(thing, place), kNobody);
        while (!queue_.empty()) {
            const std::size_t node = queue_.front();
            queue_.pop_front();
            waits_[node] = false;
            go_on(node);
        }
        std::size_t end = kNobody;
        for (std::size_t place = 0; place < places_; ++place) {
            const std::size_t node = boxes_ + place;
            if (room_[place] == 0 || far_[node] == kFar) continue;
            if (end == kNobody || far_[node] < far_[end]) end = node;
        }
        if (end == kNobody) return false;
        --room_[end - boxes_];
        go_back(end, thing);
        return true;
    }
    void reach(std::size_t node, std::int64_t far, std::size_t from) {
        if (far >= far_[node]) return;
        far_[node] = far;
        from_[node] = from;
        if (waits_[node]) return;
        waits_[node] = true;
        queue_.push_back(node);
    }
    void go_on(std::size_t node) {
        if (node >= boxes_) {
            // A thing of any kind may leave the place for the new one.
            for (std::size_t box = node - boxes_; box < boxes_; box += places_)
                if (!things_[box].empty()) reach(box, far_[node], node);
            return;
        }
        const std::size_t place = node % places_;
        if (!is_full(node)) reach(boxes_ + place, far_[node], node);
        if (things_[node].empty()) return;
        for (std::size_t to = 0; to < places_; ++to)
            if (to != place)
                reach(node - place + to, far_[node] + pushes_[node * places_ + to].cost, node);
    }
    /// Does what the way says.
    void go_back(std::size_t node, std::size_t thing) {
        std::set<std::size_t> changed;
        for (std::size_t before = from_[node]; before != kNobody; before = from_[node]) {
            if (before < boxes_ && node < boxes_) {
                const std::size_t pushed = pushes_[before * places_ + node % places_].thing;
                things_[before].erase(pushed);
                things_[node].insert(pushed);
                now_[pushed] = node % places_;
                changed.insert({before, node});
            }
            node = before;
        }
        things_[node].insert(thing);
        now_[thing] = node % places_;
        changed.insert(node);
        for (const std::size_t box : changed) look_for_pushes(box);
    }

    const PlacesProblem& problem_;
    std::size_t places_;
    std::size_t boxes_;
    std::vector<std::set<std::size_t>> things_;  ///< By box.
    std::vector<Push> pushes_;                   ///< By box and place.
    std::vector<std::size_t> room_;              ///< By place.
    std::vector<std::size_t> now_;               ///< By thing: its place.

    // Of the way that is looked for, by node.
    std::vector<std::int64_t> far_;
    std::vector<std::size_t> from_;
    std::vector<bool> waits_;
    std::deque<std::size_t> queue_;
};

/// Divides, since the product may be too large for its type.
bool is_too_much(const PlacesProblem& problem, std::size_t steps_max) {
    std::size_t left = steps_max;
    for (const std::size_t factor :
         {problem.at.size(), problem.limits.size(), problem.places, problem.places})
        left /= std::max<std::size_t>(factor, 1);
    return left == 0;
}

}  // namespace

std::vector<std::size_t> cheapest_places(const PlacesProblem& problem, std::size_t steps_max) {
    if (is_too_much(problem, steps_max)) return problem.at;
    return Places{problem}.run();
}

}  // namespace leat::streams
