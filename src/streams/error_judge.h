// SPDX-License-Identifier: Apache-2.0
//
// Asks the handlers about errors of a task and sends its dead letters. Layer: streams (L6).
// Threading: belongs to its task.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "leat/streams/detail/parts.h"
#include "leat/streams/detail/task.h"
#include "leat/streams/handlers.h"
#include "streams/settings.h"

namespace leat::streams::detail {

/// Says in the log that a record goes no further; of many in a second not each.
void log_dropped(const Task& task, const Node& node, std::string_view why);

/// What came of an error that something was to be done about: both in one.
[[nodiscard]] Error with_cause(const Error& why, const Error& cause);

class ErrorJudge {
  public:
    enum class Kind : std::uint8_t { kDeserialization, kProcessing, kProduction };
    struct Failure {
        Kind kind = Kind::kProcessing;
        const Node& node;
        const Flow& flow;                  ///< What the node took; of a source the time alone.
        const Outgoing* output = nullptr;  ///< Of kProduction.
    };

    ErrorJudge(ErrorHandlers handlers, Task& task)
        : handlers_(std::move(handlers)), task_(&task), looks_(looks_at_source(handlers_)) {}

    /// What is not given as the settings say.
    static ErrorHandlers complete(ErrorHandlers given, const Settings& settings);
    /// Where an error at `node` comes up now.
    [[nodiscard]] ErrorContext context_of(const Node& node, std::int64_t timestamp) const;
    /// Where output comes from, and what it is, for the handler when it is refused later. `topic`:
    /// as the cluster calls it.
    [[nodiscard]] ErrorContext context_of(const Outgoing& record, std::string_view topic) const;
    /// The handler's word, with the dead letters that are to be sent. Errors: what it threw, with
    /// what it was asked about, which is logged.
    static Result<ErrorAnswer> ask(const ErrorHandlers& handlers, Kind kind,
                                   const ErrorContext& context, const Error& error);
    /// False: refused output ends the task without a word to anybody.
    static bool asks_about_output(const ErrorHandlers& handlers);
    /// False: nobody looks at the record that was read: of it no dead letter is sent, and the
    /// handlers are those that come with it.
    [[nodiscard]] bool asks_about_source() const noexcept { return looks_; }
    /// Nothing: go on without the record, which counts as dropped. Errors: `error`; or why its
    /// handler or its dead letters came to nothing, and that.
    Result<void> survive(const Failure& failure, Error error);

  private:
    static UnwrittenRecord unwritten(const Outgoing& record, std::string_view topic);
    static bool looks_at_source(const ErrorHandlers& handlers);
    Result<void> send(const DeadLetter& letter);

    ErrorHandlers handlers_;
    Task* task_;
    bool looks_;
};

}  // namespace leat::streams::detail
