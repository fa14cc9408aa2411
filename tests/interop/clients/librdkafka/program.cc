// SPDX-License-Identifier: Apache-2.0
//
// The features on Debian's librdkafka, over its C interface. Called as scenario.py says.
#include <algorithm>
#include <chrono>
#include <cstdio>

#include "support.h"

using namespace interop;

static std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            char buffer[8];
            std::snprintf(buffer, sizeof buffer, "\\u%04x", c);
            out += buffer;
        } else {
            out += c;
        }
    }
    return out + "\"";
}

static void run(const Context& context, const std::string& name, const Feature& feature) {
    Facts facts;
    std::string error;
    const auto started = std::chrono::steady_clock::now();
    try {
        feature(context, facts);
    } catch (const std::exception& why) {
        error = why.what();
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - started;
    std::string list;
    for (const auto& fact : facts) {
        list += (list.empty() ? "" : ", ") + quoted(fact);
    }
    std::printf(
        "{\"feature\": \"%s\", \"ok\": %s, \"facts\": [%s], \"error\": %s, \"seconds\": %.2f}\n",
        name.c_str(), error.empty() ? "true" : "false", list.c_str(),
        error.empty() ? "null" : quoted(error).c_str(), seconds.count());
    std::fflush(stdout);
}

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fprintf(stderr, "usage: program BOOTSTRAP PREFIX [FEATURE]...\n");
        return 2;
    }
    std::fprintf(stderr, "librdkafka %s\n", rd_kafka_version_str());
    Context context{argv[1], argv[2], nullptr};
    Client admin = make_client(RD_KAFKA_PRODUCER, conf_of(context, {}));
    context.admin = admin.get();
    Features features;
    add_record_features(features);
    add_group_features(features);
    add_admin_features(features);
    add_transaction_features(features);
    add_security_features(features);
    const std::vector<std::string> wanted(argv + 3, argv + argc);
    for (const auto& [name, feature] : features) {
        if (wanted.empty() || std::ranges::find(wanted, name) != wanted.end()) {
            run(context, name, feature);
        }
    }
    return 0;
}
