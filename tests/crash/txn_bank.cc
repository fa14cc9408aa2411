// SPDX-License-Identifier: Apache-2.0
//
// Transfers between accounts. A thread owns some of them, so that each record can say what the
// account has become; which partitions they lie in is nobody's.
#include <sstream>
#include <thread>

#include "txn_worker.h"

namespace leat::crash {
namespace {

constexpr std::int64_t kAtFirst = 100;  ///< On each account.

struct Account {
    std::int64_t version = 0;
    std::int64_t balance = kAtFirst;
};

class Teller {
  public:
    Teller(const TxnPlan& plan, History& history, TxnStatus& status, int thread,
           std::vector<Account>& accounts)
        : plan_(plan), transactor_(plan, history, status, thread, "bank-"), accounts_(accounts) {}

    void run() {
        while (!stopping) {
            transactor_.wait_at(Step::kIdle);
            if (!stopping) transfer();
        }
    }

  private:
    [[nodiscard]] std::size_t pick() {
        const auto mine = static_cast<std::size_t>(plan_.accounts);
        return static_cast<std::size_t>(transactor_.thread()) * mine +
               transactor_.random()() % mine;
    }

    void write(std::size_t account, std::int64_t change) {
        const Account& now = accounts_[account];
        transactor_.send(plan_.client.topic,
                         static_cast<std::int32_t>(account) % plan_.client.partitions,
                         std::to_string(account),
                         transactor_.id() + " " + std::to_string(account) + " " +
                             std::to_string(now.version + 1) + " " +
                             std::to_string(now.balance + change) + " " + std::to_string(change));
        transactor_.flush();
    }

    void transfer() {
        const std::size_t from = pick();
        std::size_t to = pick();
        while (to == from) to = pick();
        const auto amount = static_cast<std::int64_t>(transactor_.random()() % 9 + 1);
        transactor_.begin();
        transactor_.wait_at(Step::kBegun);
        write(from, -amount);
        transactor_.wait_at(Step::kHalf);
        write(to, amount);
        transactor_.wait_at(Step::kWhole);
        if (transactor_.random()() % 5 == 0) return transactor_.abort();
        if (!transactor_.commit()) return;
        accounts_[from] = {accounts_[from].version + 1, accounts_[from].balance - amount};
        accounts_[to] = {accounts_[to].version + 1, accounts_[to].balance + amount};
    }

    const TxnPlan& plan_;
    Transactor transactor_;
    std::vector<Account>& accounts_;
};

}  // namespace

void bank(const TxnPlan& plan, History& history, TxnStatus& status) {
    std::vector<Account> accounts(static_cast<std::size_t>(plan.threads * plan.accounts));
    // Whoever takes over aborts first what the one before had open, and then reads.
    std::vector<std::unique_ptr<Teller>> tellers;
    tellers.reserve(static_cast<std::size_t>(plan.threads));
    for (int i = 0; i < plan.threads; ++i)
        tellers.push_back(std::make_unique<Teller>(plan, history, status, i, accounts));
    read_committed(plan, plan.client.topic,
                   [&](const rd_kafka_message_t& /*message*/, const std::string& value) {
                       std::istringstream in(value);
                       std::string id;
                       std::size_t account = 0;
                       Account now;
                       in >> id >> account >> now.version >> now.balance;
                       if (!in || account >= accounts.size()) die("not a transfer: " + value);
                       accounts[account] = now;
                   });
    std::vector<std::jthread> threads;
    threads.reserve(tellers.size());
    for (const auto& teller : tellers) threads.emplace_back([&teller] { teller->run(); });
}

}  // namespace leat::crash
