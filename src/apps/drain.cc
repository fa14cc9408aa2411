// SPDX-License-Identifier: Apache-2.0
#include "apps/drain.h"

#include <chrono>
#include <string>

#include "apps/interrupt.h"
#include "apps/output.h"

namespace leat::apps {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTurn{200};
/// librdkafka's threads hand back what is purged; one of them may be busy with something else.
constexpr int kPurgeTurns = 10;

}  // namespace

bool Drain::is_given_up() {
    if (is_interrupted() && !is_told_ && producer_.in_flight() > 0) {
        is_told_ = true;
        say("leat: interrupted: waiting until " +
            human_count(static_cast<std::int64_t>(producer_.in_flight())) +
            " records are acknowledged; a second signal gives them up");
    }
    return apps::is_given_up();
}

void Drain::wait(const std::function<void()>& on_turn) {
    // librdkafka gives each up after delivery.timeout.ms.
    while (producer_.in_flight() > 0 && !is_given_up() && !producer_.is_fatal()) {
        ignore(producer_.flush(kTurn), "the loop looks at in_flight()");
        on_turn();
    }
    for (int turn = 0; producer_.in_flight() > 0 && turn < kPurgeTurns; ++turn) {
        producer_.purge();
        producer_.poll(kTurn);
    }
}

}  // namespace leat::apps
