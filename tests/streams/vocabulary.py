# SPDX-License-Identifier: Apache-2.0
"""The words of random cases: names of functions of oracle/Oracle.java and runner/functions.cc, values, kinds of input."""

VALUES = ("id", "upper", "length", "first_word", "with_key", "null_if_short", "boom")
PREDICATES = ("true", "false", "has_a", "even_length", "value_nonnull", "key_nonnull", "key_is_a", "has_a", "even_length")
KEYS = ("key", "value", "length", "first_letter", "constant", "null_if_b")
# Those that look at the value alone, or yield the key as it is, and never the empty text: by reference that is what stands for null.
KEYS_BY_REFERENCE = ("key", "length", "first_letter", "constant", "null_if_b", "key")
LISTS = ("words", "twice", "none", "null_too", "words")
REDUCERS = ("concat", "max", "last", "first", "null_on_x", "concat")
GATHERERS = ("collect", "sum_len", "null_on_x", "collect")
JOINERS = ("pair", "with_key", "null_on_x", "with_key", "pair") * 2 + ("boom",)
# Joins of tables, by a foreign key too, hand no key to their joiner in Java.
TABLE_JOINERS = ("pair", "null_on_x", "pair")
# Times of a source's records: "value" is that of records that are numbers.
TIMES = ("value", "later", "partition", "none_on_x", "later", "boom")
REWRITES = ("reuse.ktable.source.topics", "merge.repartition.topics", "single.store.self.join")
PARTITIONERS = ("length", "key", "ends", "all", "default", "default_on_a", "none_on_b", "boom")
# Those that choose one partition by the key alone, as a join by a foreign key wants.
KEY_PARTITIONERS = ("key", "default")
FLAVOURS = ("plain", "null keys", "null values", "out of order", "late", "same time", "tombstones")
WORDS = ("a", "b", "x", "aa", "ab", "b a", "x a b", "abc", "", "boom", 7, 12)
