// SPDX-License-Identifier: Apache-2.0
//
// What a command of `leat` is: its place in the tree, options and examples as plain tables, from
// which parser, help, shell completion and reference page are made. Layer: apps (L7).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace leat::apps {

/// One option or argument. An option's `names` are "-b,--bootstrap" or "--yes"; an argument's are
/// "TOPIC".
struct OptionSpec {
    std::string_view names;
    std::string_view
        value;  ///< What stands for the value in help, "HOST:PORT"; empty for a switch.
    std::string_view help;
    std::string_view fallback = {};  ///< Used, and shown in help, when the option is absent.
    std::string_view environment = {};
    std::string_view choices = {};  ///< "table|json|yaml": the only values allowed.
    bool required = false;
    bool repeated =
        false;  ///< Collects every occurrence; an argument may then be given many times.
    bool may_be_empty = false;  ///< An option whose empty value has a meaning.

    [[nodiscard]] bool is_argument() const { return !names.starts_with('-'); }
    [[nodiscard]] bool is_switch() const { return value.empty() && !is_argument(); }
    /// The name the command asks by: "bootstrap", "yes", "TOPIC".
    [[nodiscard]] std::string_view key() const;
    /// As it is written: "--bootstrap", "TOPIC".
    [[nodiscard]] std::string shown() const;
};

enum class CommandKind : std::uint8_t {
    kClient,   ///< Talks to a cluster: has the common client options.
    kDrawn,    ///< The same; --output also takes "text" and "mermaid".
    kOffline,  ///< Has --output only.
    kPlain,    ///< Has --help only.
};

class Invocation;

/// A leaf of the command tree.
struct Command {
    std::string_view path;  ///< "topic create".
    std::string_view summary;
    std::string_view details = {};
    std::string_view example;
    CommandKind kind = CommandKind::kClient;
    std::span<const OptionSpec> options;
    /// Returns the exit code, or an error (exit 1; 2 for kUsage).
    Result<int> (*run)(const Invocation&);
};

/// A node of the tree that only holds commands.
struct CommandGroup {
    std::string_view name;
    std::string_view summary;
};

inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;

/// Values of one command line, defaults and environment filled in.
///
/// Threading: immutable once parsed.
class Invocation {
  public:
    explicit Invocation(const Command& command) : command_(&command) {}

    [[nodiscard]] const Command& command() const { return *command_; }
    [[nodiscard]] bool has(std::string_view key) const { return values_.contains(key); }
    /// Given on the command line or by the environment, not by a default.
    [[nodiscard]] bool is_given(std::string_view key) const;
    /// Empty when absent.
    [[nodiscard]] std::string_view text(std::string_view key) const;
    [[nodiscard]] std::span<const std::string> all(std::string_view key) const;
    /// Errors: kUsage (not a whole number within [low, high]), naming the option.
    [[nodiscard]] Result<std::int64_t> integer(std::string_view key, std::int64_t low,
                                               std::int64_t high) const;

    void add(std::string_view key, std::string_view value, bool from_default);

  private:
    struct Values {
        std::vector<std::string> texts;
        bool from_default = false;
    };
    const Command* command_;
    std::map<std::string, Values, std::less<>> values_;
};

/// Every command, in the order of help.
[[nodiscard]] std::span<const Command> all_commands();
[[nodiscard]] std::span<const CommandGroup> all_groups();
/// Options every command of `kind` has, after its own.
[[nodiscard]] std::span<const OptionSpec> common_options(CommandKind kind);

/// A usage error that names what was wrong.
[[nodiscard]] Error usage_error(std::string_view text);

}  // namespace leat::apps
