# SPDX-License-Identifier: Apache-2.0
"""Counts what was sent, acknowledged and read, and tells whether they agree."""


def number(record):
    return int(next(h["value"] for h in record["headers"] if h["name"] == "seq"))


class Scorecard:
    def __init__(self):
        self.rows = []
        self.wrong = []

    def check(self, what, value, right, note=""):
        """One line of the card; `right` is a bool."""
        self.rows.append((what, value, "ok" if right else "WRONG", note))
        if not right:
            self.wrong.append(what)

    def tell(self, what, value, note=""):
        """A line that is only told."""
        self.rows.append((what, value, "", note))

    def text(self):
        width = max(len(row[0]) for row in self.rows)
        lines = ["", "Scorecard", "-" * (width + 40)]
        for what, value, verdict, note in self.rows:
            lines.append(f"{what:<{width}}  {value!s:>14}  {verdict:<5}  {note}".rstrip())
        lines.append("-" * (width + 40))
        lines.append("everything agrees" if not self.wrong else "WRONG: " + ", ".join(self.wrong))
        return "\n".join(lines)


def count_log(card, name, sent, acknowledged, in_log):
    """Compares a topic's log with what was sent: lost, duplicated, order of each key."""
    numbers = [number(r) for r in in_log]
    unique = set(numbers)
    expected = {int(r["headers"]["seq"]) for r in sent}
    card.check(f"{name}: sent", len(sent), True)
    card.check(f"{name}: acknowledged", acknowledged, acknowledged == len(sent))
    card.check(f"{name}: read back", len(numbers), len(unique) == len(expected))
    card.check(f"{name}: lost", len(expected - unique), not expected - unique)
    card.check(f"{name}: duplicated", len(numbers) - len(unique), len(numbers) == len(unique))
    card.check(f"{name}: out of order in a key", out_of_order(in_log), out_of_order(in_log) == 0)
    by_number = {int(r["headers"]["seq"]): r for r in sent}
    changed = sum(1 for r in in_log if not same(by_number.get(number(r)), r))
    card.check(f"{name}: key, time or value changed", changed, changed == 0)


def same(sent, got):
    return sent is not None and sent["key"] == got["key"] and sent["timestamp"] == got["timestamp"] and \
        sent["value"] == got["value"]


def out_of_order(records):
    """Records whose number is below that of an earlier one of their key, in the order of the log."""
    last, count = {}, 0
    for one in sorted(records, key=lambda r: (r["partition"], r["offset"])):
        seen = last.get(one["key"], -1)
        count += number(one) < seen
        last[one["key"]] = max(seen, number(one))
    return count


def count_group(card, sent, reads):
    """What the group's members saw: at least once each, each position the same record."""
    seen, differing = {}, 0
    for one in reads:
        place = (one["partition"], one["offset"])
        differing += seen.setdefault(place, number(one)) != number(one)
    unique = set(seen.values())
    card.check("group: different records read", len(unique), len(unique) == len(sent))
    card.check("group: lost", len(sent) - len(unique), len(unique) == len(sent))
    card.check("group: one offset, two records", differing, differing == 0)
    card.tell("group: read again", len(reads) - len(seen), "since the killed member's last commit")


def count_alerts(card, quakes, alerts, drop_one=False):
    """Each earthquake became one alert, in its partition, in the order of the earthquakes."""
    if drop_one:
        del alerts[len(alerts) // 2]
    expected = {f"{q['partition']}:{q['offset']}": (q["key"], q["value"]) for q in quakes}
    seen = [(*one["value"].split(" ", 1), one["key"], one["partition"]) for one in alerts]
    places = [place for place, *_ in seen]
    lost = len(set(expected) - set(places))
    card.check("transactions: alerts read", len(alerts), len(alerts) == len(quakes))
    card.check("transactions: lost", lost, lost == 0)
    card.check("transactions: duplicated", len(places) - len(set(places)), len(places) == len(set(places)))
    wrong = sum(expected.get(place) != (key, value) or int(place.split(":")[0]) != at for place, value, key, at in seen)
    card.check("transactions: not what was to be made", wrong, wrong == 0)
    last, unordered = {}, 0
    for place in places:
        partition, offset = map(int, place.split(":"))
        unordered += offset < last.get(partition, -1)
        last[partition] = max(offset, last.get(partition, -1))
    card.check("transactions: out of order", unordered, unordered == 0)
