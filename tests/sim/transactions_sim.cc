// SPDX-License-Identifier: Apache-2.0
#include "transactions_sim.h"

#include <algorithm>

namespace leat::transactions::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::int32_t kTimeoutMs = 3'000;
constexpr milliseconds kPatience{400};  ///< Of a client, before it comes again on a new connection.

}  // namespace

// Partitions.

Errc Log::append(const Entry& entry, bool begins_at_zero) {
    const WallMs at{1};
    const auto offset = static_cast<std::int64_t>(entries.size());
    if (entry.is_marker) {
        const storage::EndMarker marker{.producer_id = entry.producer.id,
                                        .epoch = entry.producer.epoch,
                                        .coordinator_epoch = 0,
                                        .transaction_version = entry.version};
        if (const Errc error = state.check(marker); error != Errc::kNone) return error;
        if (state.is_repeated(marker)) return Errc::kNone;
    } else {
        storage::TransactionGuard guard = state.guard(entry.producer.id);
        guard.begins_at_zero = begins_at_zero;
        const auto verdict = state.check({.producer_id = entry.producer.id,
                                          .epoch = entry.producer.epoch,
                                          .first_sequence = entry.sequence,
                                          .last_offset_delta = 0,
                                          .transactional = true,
                                          .guard = guard},
                                         at);
        if (verdict.error != Errc::kNone) return verdict.error;
        if (verdict.duplicate) return Errc::kNone;
    }
    entries.push_back(entry);
    note(entry, offset);
    return Errc::kNone;
}

void Log::note(const Entry& entry, std::int64_t offset) {
    const WallMs at{1};
    if (entry.is_marker)
        state.ended({.producer_id = entry.producer.id,
                     .epoch = entry.producer.epoch,
                     .coordinator_epoch = 0,
                     .transaction_version = entry.version},
                    Offset{offset}, at, at);
    else
        state.appended({.producer_id = entry.producer.id,
                        .epoch = entry.producer.epoch,
                        .first_sequence = entry.sequence,
                        .last_offset_delta = 0,
                        .transactional = true,
                        .guard = {}},
                       Offset{offset}, at, at);
}

void Log::replay() {
    entries.resize(durable);
    state = storage::ProducerState{storage::ProducerLimits{}};
    for (std::size_t i = 0; i < entries.size(); ++i) note(entries[i], static_cast<std::int64_t>(i));
}

// Producers.

Client::Client(World& world, int number)
    : world_(world),
      id_("id" + std::to_string(number)),
      protocol_(number % 2 == 0 ? Protocol::kTwo : Protocol::kOne) {}

template <class T>
void Client::call(std::function<void(Answer<T>)> ask, std::function<void(const T&)> then,
                  std::function<void()> late) {
    const std::uint64_t attempt = ++attempt_;
    const auto is_answered = std::make_shared<bool>(false);
    // Now and then the network holds one for longer than the client has patience.
    const bool is_held = !world_.is_quiet_ && world_.random_.below(12) == 0;
    const milliseconds there{world_.random_.between(1, is_held ? 2'500 : 10)};
    // A crash closes the connection: what was on its way on it never arrives.
    world_.after(there, [this, attempt, is_answered, boot = world_.boots_, ask = std::move(ask),
                         then = std::move(then)] {
        if (boot != world_.boots_) return;
        ask([this, attempt, is_answered, then](T answer) {
            const milliseconds back{world_.random_.between(1, 10)};
            world_.after(back, [this, attempt, is_answered, then, answer] {
                if (attempt != attempt_ || *is_answered) return;
                *is_answered = true;
                then(answer);
            });
        });
        world_.serve();
    });
    world_.after(kPatience, [this, attempt, is_answered, late = std::move(late)] {
        if (attempt != attempt_ || *is_answered) return;
        ++attempt_;
        connection_ = ++world_.next_connection_;
        late();
    });
}

void Client::init() {
    connection_ = ++world_.next_connection_;
    const std::uint64_t connection = connection_;
    call<InitAnswer>(
        [this, connection](Answer<InitAnswer> answer) {
            world_.coordinator_->init({.transactional_id = id_,
                                       .timeout_ms = kTimeoutMs,
                                       .expected = {},
                                       .connection = connection},
                                      world_.now(), std::move(answer));
        },
        [this](const InitAnswer& answer) {
            if (answer.error != Errc::kNone) return world_.after(20ms, [this] { init(); });
            producer_ = answer.producer;
            sequences_.clear();
            begin();
        },
        [this] { init(); });
}

void Client::begin() {
    is_at_rest_ = world_.is_quiet_;
    if (is_at_rest_) return;
    enrolled_.clear();
    deed_ = world_.deeds_.size();
    world_.deeds_.emplace_back();
    left_ = static_cast<int>(world_.random_.between(1, 4));
    step();
}

/// A producer dies now and then, or is held up for longer than its transaction may take while
/// another takes its place; then it goes on.
void Client::step() {
    if (!world_.is_quiet_ && world_.random_.below(25) == 0) return replace();
    if (left_-- > 0) return send(static_cast<std::int32_t>(world_.random_.below(4)));
    end(world_.random_.below(4) != 0);
}

void Client::replace() {
    ++attempt_;
    // What is left of the old one: it ends what it has open, much later.
    const Producer old = producer_;
    const std::uint64_t connection = connection_;
    const Protocol protocol = protocol_;
    const std::uint64_t boot = world_.boots_;
    world_.after(milliseconds{world_.random_.between(1, 1'500)}, [=, this] {
        if (boot != world_.boots_) return;
        world_.coordinator_->end({.transactional_id = id_,
                                  .producer = old,
                                  .commit = true,
                                  .protocol = protocol,
                                  .caller = {connection, true}},
                                 world_.now(), [](EndAnswer) {});
        world_.serve();
    });
    if (world_.deeds_[deed_].known == Deed::Known::kOpen)
        world_.deeds_[deed_].known = Deed::Known::kCommitAsked;
    init();
}

transactions::Caller Client::caller(Protocol protocol, std::uint64_t connection) const {
    if (protocol != Protocol::kOne) return {};
    return {.connection = connection, .has_ended = connection != connection_};
}

void Client::send(std::int32_t partition) {
    const std::vector<TopicPartition> partitions{{"a", partition}};
    const std::int32_t sequence = sequences_[partition];
    const Producer producer = producer_;
    const Protocol protocol = protocol_;
    const std::uint64_t connection = connection_;
    const Log::Entry entry{.producer = producer, .sequence = sequence, .deed = deed_};
    call<Errc>(
        [=, this](Answer<Errc> answer) {
            const auto shared = std::make_shared<Answer<Errc>>(std::move(answer));
            const Enrol enrol{.transactional_id = id_,
                              .producer = producer,
                              .partitions = partitions,
                              .protocol = protocol,
                              .caller = caller(protocol, connection),
                              .may_wait = true};
            world_.coordinator_->enrol(enrol, world_.now(), [=, this](Errc error) {
                if (error != Errc::kNone) return (*shared)(error);
                world_.append(partition, entry, protocol == Protocol::kTwo,
                              [shared](Errc outcome) { (*shared)(outcome); });
            });
        },
        [this, partition](const Errc& error) { on_sent(partition, error); },
        [this, partition] { send(partition); });
}

void Client::on_sent(std::int32_t partition, Errc error) {
    if (error == Errc::kNone) {
        ++sequences_[partition];
        world_.deeds_[deed_].acked.push_back(partition);
        return step();
    }
    if (error == Errc::kConcurrentTransactions || error == Errc::kCoordinatorNotAvailable)
        return world_.after(20ms, [this, partition] { send(partition); });
    // Fenced, timed out, or out of order after a crash: the transaction will not be.
    init();
}

void Client::end(bool commit) {
    world_.deeds_[deed_].known = commit ? Deed::Known::kCommitAsked : Deed::Known::kAbortAsked;
    end_again(0, commit);
}

void Client::end_again(std::uint64_t tries, bool commit) {
    const Producer producer = producer_;
    const Protocol protocol = protocol_;
    const std::uint64_t connection = connection_;
    call<EndAnswer>(
        [=, this](Answer<EndAnswer> answer) {
            world_.coordinator_->end({.transactional_id = id_,
                                      .producer = producer,
                                      .commit = commit,
                                      .protocol = protocol,
                                      .caller = {connection, connection != connection_}},
                                     world_.now(), std::move(answer));
        },
        [=, this](const EndAnswer& answer) {
            if (answer.error == Errc::kConcurrentTransactions ||
                answer.error == Errc::kCoordinatorNotAvailable)
                return world_.after(20ms, [=, this] { end_again(tries + 1, commit); });
            if (answer.error != Errc::kNone) return init();
            world_.deeds_[deed_].known = commit ? Deed::Known::kCommitted : Deed::Known::kAborted;
            if (protocol == Protocol::kTwo) {
                producer_ = answer.producer;
                sequences_.clear();
            }
            begin();
        },
        [=, this] {
            // It may have died with the broker, or of waiting: who takes its place does not know
            // what it asked for, and aborts what is still open.
            if (!world_.is_quiet_ && world_.random_.below(4) == 0) return init();
            end_again(tries + 1, commit);
        });
}

// The world.

World::World(std::uint64_t seed, const Faults& faults) : random_(seed) {
    settings_.faults = faults;
    settings_.timeout_check_interval = 500ms;
    boot();
    for (int i = 0; i < 4; ++i) clients_.push_back(std::make_unique<Client>(*this, i));
}

void World::after(milliseconds delay, std::function<void()> fn) {
    events_.push(Instant{time_ + delay}, std::move(fn));
}

Now World::now() const {
    return {.mono = Instant{time_ + 1h}, .wall = WallMs{1'000'000 + time_.count()}};
}

void World::advance_to(milliseconds until) {
    while (const auto next = events_.next()) {
        if (*next > Instant{until}) break;
        time_ = std::chrono::duration_cast<milliseconds>(next->time_since_epoch());
        events_.pop()();
        if (coordinator_->next_deadline() && *coordinator_->next_deadline() <= now().mono) {
            coordinator_->advance(now());
            serve();
        }
    }
    time_ = until;
}

void World::run(milliseconds time) {
    for (const auto& client : clients_) client->start();
    std::function<void()> tick = [this, &tick] {
        if (!is_quiet_) after(milliseconds{random_.between(300, 2'000)}, tick);
        if (!is_quiet_) crash();
    };
    after(1'000ms, tick);
    std::function<void()> beat = [this, &beat] { after(100ms, beat); };
    after(100ms, beat);
    advance_to(time);
    is_quiet_ = true;
    advance_to(time + 30s);
    judge();
}

void World::serve() {
    for (Write& each : coordinator_->take_writes()) write(std::move(each));
    for (const Markers& each : coordinator_->take_markers()) mark(each);
    for (std::size_t left = coordinator_->take_wanted_ids(); left > 0; --left)
        after(1ms, [this, boot = boots_, id = next_id_++] {
            if (boot != boots_) return;
            coordinator_->give_producer_id(id, now());
            serve();
        });
}

/// Durable in the order of the log.
void World::write(Write write) {
    writes_.push_back(std::move(write));
    after(milliseconds{random_.between(1, 8)}, [this, boot = boots_] {
        if (boot != boots_) return;
        const Write next = std::move(writes_.front());
        writes_.erase(writes_.begin());
        records_.insert(records_.end(), next.records.begin(), next.records.end());
        coordinator_->on_written(next.token, Errc::kNone, now());
        serve();
    });
}

void World::sync(std::size_t log, Answer<Errc> done) {
    const std::size_t up_to = logs_[log].entries.size();
    const auto shared = std::make_shared<Answer<Errc>>(std::move(done));
    after(milliseconds{random_.between(1, 8)}, [this, log, up_to, shared, boot = boots_] {
        if (boot != boots_) return;
        logs_[log].durable = std::max(logs_[log].durable, up_to);
        (*shared)(Errc::kNone);
        serve();
    });
}

void World::append(std::int32_t partition, const Log::Entry& entry, bool begins_at_zero,
                   Answer<Errc> done) {
    const auto log = static_cast<std::size_t>(partition);
    const Errc error = logs_[log].append(entry, begins_at_zero);
    if (error != Errc::kNone) return done(error);
    sync(log, std::move(done));
}

void World::mark(const Markers& markers) {
    const auto left = std::make_shared<std::size_t>(markers.partitions.size() + 1);
    const auto arrive = [this, left, token = markers.token, boot = boots_](Errc /*outcome*/) {
        if (--*left > 0 || boot != boots_) return;
        coordinator_->on_marked(token, now());
        serve();
    };
    for (const TopicPartition& each : markers.partitions) {
        const Log::Entry entry{.producer = markers.producer,
                               .sequence = -1,
                               .deed = 0,
                               .is_marker = true,
                               .commit = markers.commit,
                               .version = static_cast<std::int16_t>(markers.protocol)};
        after(milliseconds{random_.between(0, 5)}, [this, each, entry, arrive, boot = boots_] {
            if (boot == boots_) append(each.partition, entry, false, arrive);
        });
    }
    after(0ms, [arrive] { arrive(Errc::kNone); });
}

void World::boot() {
    ++boots_;
    writes_.clear();
    coordinator_ = std::make_unique<Coordinator>(settings_);
    for (const RecordToWrite& record : records_)
        coordinator_->load_record(
            record.key, record.value ? std::optional<Bytes>{*record.value} : std::nullopt);
    coordinator_->finish_load(now());
    serve();
}

/// The power goes: each file keeps what its disk had, whatever the others kept.
void World::crash() {
    for (Log& log : logs_) {
        // What was not synced may be there all the same.
        const auto lost = log.entries.size() - log.durable;
        log.durable += static_cast<std::size_t>(random_.below(lost + 1));
        log.replay();
    }
    boot();
    if (!settings_.faults.not_reconciled) abort_unknown();
}

void World::abort_unknown() {
    for (std::size_t i = 0; i < logs_.size(); ++i) {
        for (const storage::OpenTransaction& open : logs_[i].state.open_transactions()) {
            const auto partition = static_cast<std::int32_t>(i);
            if (coordinator_->knows(open.producer_id, {"a", partition})) continue;
            append(partition,
                   {.producer = {.id = open.producer_id, .epoch = open.epoch}, .is_marker = true},
                   false, [](Errc) {});
        }
    }
}

// Judgement.

void World::judge() {
    std::map<std::size_t, std::map<std::int32_t, int>> seen;  // deed, partition, values
    for (std::size_t i = 0; i < logs_.size(); ++i) {
        std::map<std::int64_t, std::vector<std::size_t>> open;
        for (const Log::Entry& entry : logs_[i].entries) {
            auto& of = open[entry.producer.id];
            if (!entry.is_marker) {
                of.push_back(entry.deed);
                continue;
            }
            if (entry.commit)
                for (const std::size_t deed : of) ++seen[deed][static_cast<std::int32_t>(i)];
            of.clear();
        }
        for (const auto& [id, of] : open)
            if (!of.empty())
                violations_.push_back("partition " + std::to_string(i) + " has producer " +
                                      std::to_string(id) + " open for ever");
    }
    for (std::size_t deed = 0; deed < deeds_.size(); ++deed) judge_deed(deed, seen[deed]);
    for (const auto& client : clients_)
        if (!client->is_at_rest())
            violations_.push_back("the producer " + client->id() + " is not served any more");
}

void World::judge_deed(std::size_t number, const std::map<std::int32_t, int>& seen) {
    const Deed& deed = deeds_[number];
    std::map<std::int32_t, int> acked;
    for (const std::int32_t partition : deed.acked) ++acked[partition];
    const auto blame = [&](const std::string& what) {
        violations_.push_back("transaction " + std::to_string(number) + " " + what);
    };
    switch (deed.known) {
        case Deed::Known::kCommitted:
            if (seen != acked) blame("was committed and is not there as it was");
            break;
        case Deed::Known::kOpen:
        case Deed::Known::kAborted:
        case Deed::Known::kAbortAsked:
            if (!seen.empty()) blame("was not to be committed and is there");
            break;
        case Deed::Known::kCommitAsked:
            // A last value may be there without its acknowledgement.
            if (!seen.empty())
                for (const auto& [partition, count] : acked)
                    if (!seen.contains(partition) || seen.at(partition) < count) blame("is torn");
            break;
    }
}

}  // namespace leat::transactions::sim
