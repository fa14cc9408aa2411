// SPDX-License-Identifier: Apache-2.0
//
// One step of a running task. Layer: streams SDK, not for users.
// Types are known where an operator is declared and are erased between two of them: a Flow points
// to objects whose types both ends agreed on when the topology was built. Threading: a node belongs
// to its task, which runs on one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <vector>

#include "base/result.h"
#include "leat/streams/detail/guarded.h"
#include "leat/streams/record.h"

namespace leat::streams::detail {

/// A record between two nodes. Null pointers are Kafka's null. What it points to lives until
/// process() returns.
struct Flow {
    const void* key = nullptr;
    const void* value = nullptr;  ///< A V of a stream, a Change of a table.
    std::int64_t timestamp = -1;
    const Headers* headers = nullptr;

    template <class K>
    [[nodiscard]] const K* key_as() const noexcept {
        return static_cast<const K*>(key);
    }
    template <class V>
    [[nodiscard]] const V* value_as() const noexcept {
        return static_cast<const V*>(value);
    }
};

/// What an update of a table looks like downstream. Null pointers stand for absence.
struct Change {
    const void* now = nullptr;
    const void* before = nullptr;  ///< Only when somebody downstream asked for old values.
    bool latest = true;            ///< False: an update of a versioned table that was overtaken.
};

/// Why a record is dropped that a function could not be shown: it takes the value by reference.
inline constexpr std::string_view kUnseenNull = "null value, which the function takes by reference";

class NodeMeter;
class StateStore;
class Task;

class Node {
  public:
    explicit Node(std::string name) : name_(std::move(name)) {}
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;
    virtual ~Node() = default;

    /// Called once before the first record; stores are open by then.
    virtual Result<void> open(Task& task);
    /// Called once after the last.
    virtual void close() {}

    /// process(), with what user code throws turned into an error, and the processing handler asked
    /// about it.
    Result<void> run(const Flow& flow);
    /// The same for a call at a point of time.
    Result<void> run(const std::function<Result<void>()>& call, std::int64_t now);

    /// The type of the records that come, Record<K, V>; null: it is not known, or they are updates
    /// of a table.
    [[nodiscard]] const std::type_info* input() const noexcept { return input_; }
    void takes(const std::type_info& record) noexcept { input_ = &record; }
    /// Counts what comes; null: nobody does.
    void set_meter(const NodeMeter* meter) { meter_ = meter; }
    /// For a source, to which records come without run().
    void count(const Flow& flow) const;
    /// A store that the node may use.
    void add_store(StateStore& store) { stores_.push_back(&store); }
    /// A global store, which is written by others: the node only reads it.
    void give_store(StateStore& store) {
        stores_.push_back(&store);
        given_.push_back(&store);
    }
    [[nodiscard]] bool may_write(const StateStore& store) const;
    /// Null: the node is not connected to such a store.
    [[nodiscard]] StateStore* find_store(std::string_view name) const;

    void add_child(Node& child) { children_.push_back(&child); }
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] const std::vector<Node*>& children() const noexcept { return children_; }

    /// To every child, in the order in which they were added, each to its end before the next.
    Result<void> forward(const Flow& flow) {
        for (Node* child : children_) {
            if (auto done = child->run(flow); !done) return done;
        }
        return {};
    }
    /// To the child of this name. Errors: kInvalidRequest when there is none.
    Result<void> forward(const Flow& flow, std::string_view child);
    [[nodiscard]] Task& task() const noexcept { return *task_; }

  protected:
    /// Errors end the record's way, and the task's unless the handler decides otherwise.
    virtual Result<void> process(const Flow& flow) = 0;

    /// `call`, which runs a user's function; what that throws becomes an error with this name.
    template <class Call>
    auto guarded(const Call& call) const -> decltype(call()) {
        return detail::guarded(name_, call);
    }

    /// What becomes of a record without a value where its way depends on a function's answer and
    /// the function takes the value by reference.
    [[nodiscard]] Error unseen_null() const;

    /// For a suppression, which tells something when it likes.
    void count_emitted() const;
    /// For an aggregate around its look for windows that have closed: when it began, in ns, and how
    /// many it told.
    [[nodiscard]] std::int64_t begin_final() const;
    void count_final(std::int64_t begin, std::size_t windows) const;
    /// Logs what closing ended with, if that was an error.
    static void note_close(const Result<void>& done);

  private:
    Result<void> judged(Result<void> done, const Flow& flow);

    std::string name_;
    std::vector<Node*> children_;
    std::vector<StateStore*> stores_;
    std::vector<const StateStore*> given_;  ///< Of these, the global ones.
    Task* task_ = nullptr;
    const NodeMeter* meter_ = nullptr;
    const std::type_info* input_ = nullptr;
};

}  // namespace leat::streams::detail
