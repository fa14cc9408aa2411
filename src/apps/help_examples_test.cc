// SPDX-License-Identifier: Apache-2.0
//
// Method: what help and pages tell to type is split as a shell would, and each `leat` in it goes to
// the parser of the program: a wrong option, value or argument is found here, not by who types it.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "apps/command_line.h"
#include "apps/help.h"
#include "testkit/result_matchers.h"

namespace leat::apps {
namespace {

using Words = std::vector<std::string>;

/// Splits a shell text into its simple commands: words without quotes, redirections and comments.
/// Knows what our examples use; expands nothing.
///
/// Threading: not synchronised.
class Shell {
  public:
    explicit Shell(std::string_view text) : text_(text) {}

    std::vector<Words> commands() {
        while (at_ < text_.size()) step();
        end_command();
        return commands_;
    }

  private:
    char next() { return at_ < text_.size() ? text_[at_++] : '\0'; }
    char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

    void step() {
        const char c = next();
        switch (c) {
            case ' ':
            case '\t':
                end_word();
                return;
            case '\n':
            case '|':
            case ';':
            case '&':
            case '(':
            case ')':
                end_command();
                return;
            case '#':
                if (is_word_) break;
                at_ = std::min(text_.find('\n', at_), text_.size());
                return;
            case '>':
            case '<':
                redirect();
                return;
            case '\\':
                if (const char taken = next(); taken != '\n') add(taken);
                return;
            case '\'':
            case '"':
                quoted(c);
                return;
            default:
                break;
        }
        add(c);
    }

    void add(char c) {
        word_ += c;
        is_word_ = true;
    }

    void quoted(char quote) {
        is_word_ = true;
        while (at_ < text_.size()) {
            const char c = next();
            if (c == quote) return;
            word_ += quote == '"' && c == '\\' && (peek() == '"' || peek() == '\\') ? next() : c;
        }
        ADD_FAILURE() << "an open quote: " << text_;
    }

    /// The word that follows is a file; before `<(` and `>(` it is a command.
    void redirect() {
        if (std::ranges::all_of(word_, [](char c) { return c >= '0' && c <= '9'; })) {
            word_.clear();  // 2> and the like
            is_word_ = false;
        }
        end_word();
        if (peek() == '(') return;
        while (peek() == '>' || peek() == '<' || peek() == '&') ++at_;
        is_file_next_ = true;
    }

    void end_word() {
        if (is_word_ && !is_file_next_) words_.push_back(word_);
        if (is_word_) is_file_next_ = false;
        word_.clear();
        is_word_ = false;
    }

    void end_command() {
        end_word();
        is_file_next_ = false;
        if (!words_.empty()) commands_.push_back(words_);
        words_.clear();
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::string word_;
    bool is_word_ = false;       ///< Also when it is '' so far.
    bool is_file_next_ = false;  ///< The word that comes is where a redirection goes.
    Words words_;
    std::vector<Words> commands_;
};

/// What follows `leat` in each command of `text` that is one; `sudo` and settings of the
/// environment may stand before.
std::vector<Words> lines_for_leat(std::string_view text) {
    std::vector<Words> out;
    for (Words words : Shell{text}.commands()) {
        const auto begin = std::ranges::find_if(words, [](const std::string& word) {
            return word != "sudo" && word.find('=') == std::string::npos;
        });
        if (begin == words.end() || *begin != "leat") continue;
        out.emplace_back(begin + 1, words.end());
    }
    return out;
}

/// The paths of the commands that `text` calls, help being "": each line has to parse.
std::vector<std::string> paths_called(std::string_view text) {
    std::vector<std::string> out;
    for (const Words& words : lines_for_leat(text)) {
        const Result<ParsedLine> line = parse_command_line(words);
        EXPECT_OK(line) << text;
        if (line)
            out.emplace_back(line->invocation.empty() ? "" : line->invocation.at(0).command().path);
    }
    return out;
}

/// Blocks of shell lines in a page, without the texts of here-documents.
std::string shell_blocks(const std::filesystem::path& page) {
    std::ifstream in{page};
    std::string out;
    std::string until;  // What ends that which is not a command, "" in a block of commands.
    bool is_block = false;
    for (std::string line; std::getline(in, line);) {
        if (!is_block) {
            is_block = line == "```sh";
        } else if (!until.empty()) {
            if (line == until) until.clear();
        } else if (line == "```") {
            is_block = false;
        } else if (const std::size_t at = line.find("<<'END'"); at != std::string::npos) {
            until = "END";
            out += line.substr(0, at) + "\n";
        } else {
            out += line + "\n";
        }
    }
    return out;
}

TEST(HelpExamples, CallTheirCommandWithWordsThatParse) {
    for (const Command& command : all_commands()) {
        const auto called = paths_called(command.example);
        EXPECT_TRUE(std::ranges::find(called, command.path) != called.end()) << command.path;
    }
}

TEST(HelpExamples, OfTheProgramParse) {
    const std::string help = help_text("");
    const std::size_t at = help.find("\nexample:\n");
    ASSERT_NE(at, std::string::npos);
    EXPECT_EQ(paths_called(std::string_view{help}.substr(at)),
              (std::vector<std::string>{"serve", "produce", "consume"}));
}

TEST(HelpExamples, OfPagesParse) {
    std::vector<std::filesystem::path> pages{"README.md", "CONTRIBUTING.md"};
    for (const auto& entry : std::filesystem::recursive_directory_iterator{"docs"})
        if (entry.path().extension() == ".md") pages.push_back(entry.path());
    std::size_t count = 0;
    for (const auto& page : pages) {
        SCOPED_TRACE(page.string());
        count += paths_called(shell_blocks(page)).size();
    }
    // One for each command in docs/reference/cli.md, and those of README and how-to.
    EXPECT_GT(count, all_commands().size() + 30);
}

TEST(HelpExamples, AreSplitAsAShellDoes) {
    EXPECT_EQ(Shell{"a 'b c' \"d \\\"e\\\"\" f\\ g '' 2>x <y # z"}.commands(),
              (std::vector<Words>{{"a", "b c", "d \"e\"", "f g", ""}}));
    EXPECT_EQ(Shell{"a|b;c&&d &\ne > f g"}.commands(),
              (std::vector<Words>{{"a"}, {"b"}, {"c"}, {"d"}, {"e", "g"}}));
    EXPECT_EQ(Shell{"source <(a b#c)\n\\\nd"}.commands(),
              (std::vector<Words>{{"source"}, {"a", "b#c"}, {"d"}}));
    EXPECT_EQ(lines_for_leat("X=1 sudo leat a >b | leatx c; echo leat d; leat"),
              (std::vector<Words>{{"a"}, {}}));
}

TEST(HelpExamples, AreRefusedWithAWrongWord) {
    for (const std::string_view text : {
             "printf x | leat produce t --key-seperator ';' > out",
             "leat topic list --output jsn | cat",
             "leat consume",
             "leat bench consume --expect sent.json extra",
         }) {
        const auto lines = lines_for_leat(text);
        ASSERT_EQ(lines.size(), 1U) << text;
        EXPECT_ERRC(parse_command_line(lines.front()), Errc::kUsage) << text;
    }
}

}  // namespace
}  // namespace leat::apps
