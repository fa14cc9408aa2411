// SPDX-License-Identifier: Apache-2.0
//
// What sinks make of a record that is not taken, with a task that takes none: each kind asks the
// production handler.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "leat/streams/detail/change_codec.h"
#include "leat/streams/detail/edge_nodes.h"
#include "leat/streams/detail/wire_nodes.h"
#include "leat/streams/serdes.h"
#include "streams/state/store_fixture.h"

namespace leat::streams::detail {
namespace {

using std::string;
using testing::ElementsAre;

class RefusingTask final : public NotingTask {
  public:
    Result<void> send(const Outgoing& /*record*/) override {
        return Error{Errc::kMessageTooLarge, "too much"};
    }
    Result<void> survive_unsent(const Flow& flow, const Outgoing& record, Error error) override {
        asked.push_back(record.sender->name() + " " + string{record.topic} + " " +
                        string{record.key.value_or("null")} + " " + std::to_string(flow.timestamp) +
                        " " + string{info(error.code()).name});
        return {};
    }
    std::vector<string> asked;
};

/// What the handler was asked about `value`, under the key "k" and at 5.
std::vector<string> asked_by(Node& sink, const void* value) {
    RefusingTask task;
    const string key = "k";
    EXPECT_TRUE(sink.open(task));
    EXPECT_TRUE(sink.run({.key = &key, .value = value, .timestamp = 5}));
    return task.asked;
}

TEST(Sinks, EachKindAsksAboutWhatIsNotTaken) {
    const string value = "v";
    SinkNode<string, string> plain{
        "plain", {.topic = "out", .key = serde_for<string>(), .value = serde_for<string>()}};
    EXPECT_THAT(asked_by(plain, &value), ElementsAre("plain out k 5 MESSAGE_TOO_LARGE"));
    ChangeSinkNode<string, string> updates{"updates", "groups", serde_for<string>(),
                                           serde_for<string>()};
    const Change change{.now = &value};
    EXPECT_THAT(asked_by(updates, &change), ElementsAre("updates groups k 5 MESSAGE_TOO_LARGE"));
    WireSinkNode wire{"wire", "answers", {}};
    const WireOut out{.key = "k", .value = "v"};
    EXPECT_THAT(asked_by(wire, &out), ElementsAre("wire answers k 5 MESSAGE_TOO_LARGE"));
}

}  // namespace
}  // namespace leat::streams::detail
