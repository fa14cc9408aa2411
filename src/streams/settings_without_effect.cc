// SPDX-License-Identifier: Apache-2.0
#include "streams/settings_without_effect.h"

#include <algorithm>
#include <array>

namespace leat::streams {
namespace {

using config::Setting;
using config::Type;

constexpr std::string_view kSerdes =
    "Serdes are those of the types, or given where an operator is declared.";
constexpr std::string_view kConsole = "Of Java's console tools.";

constexpr Setting row(std::string_view name, Type type, std::string_view fallback,
                      std::string_view doc) {
    return {.name = name, .type = type, .fallback = fallback, .doc = doc, .effective = false};
}
constexpr Setting from(double min, Setting setting) {
    setting.min = min;
    return setting;
}
constexpr Setting one_of(std::string_view choices, Setting setting) {
    setting.choices = choices;
    return setting;
}

constexpr auto kRows = std::to_array<Setting>({
    row("allow.os.group.write.access", Type::kBoolean, "false",
        "The process's umask says who may write to the state's folder."),
    from(1, row("buffered.records.per.partition", Type::kInt, "1000",
                "Not needed: a partition that is not read stops fetching by itself "
                "(queued.max.messages.kbytes).")),
    row("built.in.metrics.version", Type::kString, "latest", "There is one version of metrics."),
    row("config.providers", Type::kList, "", "Values are taken as they stand there."),
    row("default.client.supplier", Type::kClass,
        "org.apache.kafka.streams.processor.internals.DefaultKafkaClientSupplier",
        "Consumers and producers are Leat's own."),
    row("default.key.serde", Type::kClass, "", kSerdes),
    row("default.list.key.serde.inner", Type::kClass, "", kSerdes),
    row("default.list.key.serde.type", Type::kClass, "", kSerdes),
    row("default.list.value.serde.inner", Type::kClass, "", kSerdes),
    row("default.list.value.serde.type", Type::kClass, "", kSerdes),
    row("default.value.serde", Type::kClass, "", kSerdes),
    row("enable.metrics.push", Type::kBoolean, "true", "Metrics are scraped."),
    one_of("classic,streams",
           row("group.protocol", Type::kString, "classic",
               "There is one way to share tasks: an assignor of our own in the classic protocol.")),
    row("log.summary.interval.ms", Type::kLong, "120000", "Metrics are scraped."),
    row("metric.reporters", Type::kList, "", "Metrics are scraped."),
    row("processor.wrapper.class", Type::kClass,
        "org.apache.kafka.streams.processor.internals.NoOpProcessorWrapper",
        "Processors are not wrapped."),
    row("rocksdb.config.setter", Type::kClass, "",
        "leat.rocksdb.options takes options of RocksDB as text."),
    row("task.assignor.class", Type::kString, "", "The assignor is our own."),
    row("upgrade.from", Type::kString, "", "There is no older protocol."),
    row("window.size.ms", Type::kLong, "", kConsole),
    row("windowed.inner.class.serde", Type::kString, "", kConsole),
});
static_assert(std::ranges::is_sorted(kRows, {}, &Setting::name));

}  // namespace

std::span<const Setting> settings_without_effect() {
    return kRows;
}

const Setting* find_without_effect(std::string_view name) {
    const auto found = std::ranges::find(kRows, name, &Setting::name);
    return found == kRows.end() ? nullptr : &*found;
}

}  // namespace leat::streams
