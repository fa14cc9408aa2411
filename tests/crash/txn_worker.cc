// SPDX-License-Identifier: Apache-2.0
//
// txn_worker: transactions for the crash harness, and what is seen of them, written down.
// usage: txn_worker bank|transform|feed|read|dump|audit|offsets --name value...
// What is made of the log: transactions_history.py. Layer: tests.
#include "txn_worker.h"

#include <csignal>
#include <cstdlib>
#include <map>
#include <sstream>

namespace leat::crash {

std::atomic<bool> stopping{false};

namespace {

std::string place(const rd_kafka_message_t& message) {
    return std::to_string(message.partition) + " " + std::to_string(message.offset) + " ";
}

/// What is committed, as it comes.
void read_along(const TxnPlan& plan, History& history, TxnStatus& status) {
    const Kafka consumer = make_consumer(plan.client, {{"group.id", "along-reader"},
                                                       {"isolation.level", "read_committed"},
                                                       {"enable.auto.commit", "false"},
                                                       {"auto.offset.reset", "error"},
                                                       {"fetch.wait.max.ms", "20"}});
    rd_kafka_topic_partition_list_t* all = rd_kafka_topic_partition_list_new(4);
    for (int p = 0; p < plan.client.partitions; ++p)
        rd_kafka_topic_partition_list_add(all, plan.client.topic.c_str(), p)->offset = 0;
    rd_kafka_assign(consumer.get(), all);
    rd_kafka_topic_partition_list_destroy(all);
    while (!stopping) {
        rd_kafka_message_t* message = rd_kafka_consumer_poll(consumer.get(), 50);
        if (message == nullptr) continue;
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            history.line("R " + place(*message) +
                         std::string(static_cast<const char*>(message->payload), message->len));
            status.read.fetch_add(1);
        }
        rd_kafka_message_destroy(message);
    }
}

void dump_committed(const TxnPlan& plan, History& history) {
    read_committed(plan, plan.client.topic,
                   [&](const rd_kafka_message_t& message, const std::string& value) {
                       history.line(plan.letter + " " + place(message) + value);
                   });
    history.line("e " + plan.letter);
}

/// What the accounts hold now; nobody writes meanwhile.
void audit(const TxnPlan& plan, History& history) {
    std::map<std::int64_t, std::int64_t> balances;
    history.line("q " + std::to_string(plan.number));
    read_committed(plan, plan.client.topic,
                   [&](const rd_kafka_message_t& /*message*/, const std::string& value) {
                       std::istringstream in(value);
                       std::string id;
                       std::int64_t account = 0;
                       std::int64_t version = 0;
                       in >> id >> account >> version >> balances[account];
                   });
    for (const auto& [account, balance] : balances)
        history.line("Q " + std::to_string(plan.number) + " " + std::to_string(account) + " " +
                     std::to_string(balance));
}

void offsets(const TxnPlan& plan, History& history) {
    const Kafka consumer = make_consumer(plan.client, {{"group.id", plan.client.group.c_str()},
                                                       {"isolation.level", "read_committed"}});
    rd_kafka_topic_partition_list_t* all = rd_kafka_topic_partition_list_new(4);
    for (int p = 0; p < plan.client.partitions; ++p)
        rd_kafka_topic_partition_list_add(all, plan.input.c_str(), p);
    if (rd_kafka_committed(consumer.get(), all, 30'000) != RD_KAFKA_RESP_ERR_NO_ERROR)
        die("the group's offsets cannot be read");
    for (int i = 0; i < all->cnt; ++i)
        history.line("G " + std::to_string(all->elems[i].partition) + " " +
                     std::to_string(all->elems[i].offset));
    rd_kafka_topic_partition_list_destroy(all);
}

bool set(TxnPlan& plan, std::string_view name, const char* value) {
    if (name == "--broker") return plan.client.broker = value, true;
    if (name == "--topic") return plan.client.topic = value, true;
    if (name == "--input") return plan.input = value, true;
    if (name == "--group") return plan.client.group = value, true;
    if (name == "--log") return plan.client.log = value, true;
    if (name == "--letter") return plan.letter = value, true;
    if (name == "--status") return plan.client.status = value, true;
    if (name == "--partitions") return plan.client.partitions = number_of(name, value, 1), true;
    if (name == "--threads") return plan.threads = number_of(name, value, 1), true;
    if (name == "--accounts") return plan.accounts = number_of(name, value, 1), true;
    if (name == "--incarnation") return plan.incarnation = number_of(name, value, 0), true;
    if (name == "--number") return plan.number = number_of(name, value, 0), true;
    if (name == "--patience") return plan.client.patience = number_of(name, value, 1), true;
    return false;
}

}  // namespace
}  // namespace leat::crash

int main(int argc, char** argv) {
    using namespace leat::crash;
    TxnPlan plan;
    if (argc % 2 != 0) die(std::string("no value for ") + argv[argc - 1]);
    for (int i = 2; i + 1 < argc; i += 2)
        if (!set(plan, argv[i], argv[i + 1])) die(std::string("unknown option ") + argv[i]);
    if (argc < 2 || plan.client.broker.empty() || plan.client.log.empty())
        die("usage: txn_worker bank|transform|feed|read|dump|audit|offsets --broker HOST:PORT "
            "--log FILE [--status FILE] [--topic T] [--input T] [--group G] [--partitions N] "
            "[--threads N] [--accounts N] [--incarnation N] [--number N] [--letter L] "
            "[--patience SECONDS]");
    struct sigaction stop{};
    stop.sa_handler = [](int) { stopping = true; };
    sigaction(SIGTERM, &stop, nullptr);
    sigaction(SIGINT, &stop, nullptr);
    History history(plan.client.log);
    const std::string_view mode = argv[1];
    if (mode == "dump") return dump_committed(plan, history), 0;
    if (mode == "audit") return audit(plan, history), 0;
    if (mode == "offsets") return offsets(plan, history), 0;
    if (plan.client.status.empty()) die("--status FILE is missing");
    TxnStatus& status = map_status<TxnStatus>(plan.client.status);
    if (mode == "bank") return bank(plan, history, status), 0;
    if (mode == "transform") return transform(plan, history, status), 0;
    if (mode == "feed") return feed(plan, history, status), 0;
    if (mode == "read") return read_along(plan, history, status), 0;
    die("unknown mode " + std::string{mode});
}
