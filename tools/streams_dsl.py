#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The table of Leat Streams' verbs, join cells, windows and stores: docs/reference/streams-dsl.md.

    tools/streams_dsl.py            writes the page
    tools/streams_dsl.py --check    exit code 1 when the page is not what it would write, or a row names no test
    tools/streams_dsl.py --missing  prints the rows that name no test

Each row names tests as they are registered, Suite.Name; one that no test file registers is an error, so that a
row cannot outlive what shows it.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "streams-dsl.md"
TEST = re.compile(r"^TEST(?:_F|_P)?\((\w+), (\w+)\)", re.M)

# section: rows of (ours, Kafka Streams' name, tests)
ROWS = {
    "Sources": [
        ("`Builder::stream(topic)`, of several topics", "stream", "Sources.ATopicThatIsReadTwiceHasOneSource Sources.TheOrderOfTopicsDoesNotMatter Sources.TopicsMayBeListedInBraces"),
        ("`Builder::stream(TopicPattern)`", "stream(Pattern)", "Sources.APatternReadsEachTopicItMatchesWhole Sources.PatternsAndTopicsAreDescribedAsByKafka"),
        ("`Consumed::reset`", "Consumed.withOffsetResetPolicy", "Sources.OtherOffsetResetsForATopicAreRefused"),
        ("`FailOnInvalidTimestamp`", "FailOnInvalidTimestamp", "Timestamps.FailOnInvalidFails"),
        ("`LogAndSkipOnInvalidTimestamp`", "LogAndSkipOnInvalidTimestamp", "Timestamps.LogAndSkipDropsTheRecord"),
        ("`UsePartitionTimeOnInvalidTimestamp`", "UsePartitionTimeOnInvalidTimestamp", "Timestamps.UsePartitionTimeTakesTheLargestSoFar"),
        ("`WallclockTimestampExtractor`", "WallclockTimestampExtractor", "Timestamps.WallclockAsksTheClock"),
        ("`Consumed::time`, a function of one's own", "TimestampExtractor", "Timestamps.AFunctionOfTheValueYieldsTheTime Timestamps.AFunctionOfAllThatArrivedSeesWhereItIsAndWhoGaveItsTime"),
        ("`Builder::table`", "table", "Table.TellsEachUpdateAndKeepsNothingUnread Table.InANamedStoreLogsEachUpdate"),
        ("`Builder::global_table`", "globalTable", "StreamGlobalTableJoin.InnerMeetsTheSelectedKey"),
        ("`Builder::add_state_store`", "addStateStore", "Process.StoresJoinSubTopologiesAsInKafka Process.AStoreThatNobodyUsesLeavesNoTrace"),
        ("`Builder::add_global_store`", "addGlobalStore", "Process.GlobalStoresAreReadWithoutConnection Process.GlobalStoresAreChangedOnlyByThoseWhoFeedThem Process.GlobalStoresAreDescribedAsByKafka Process.TheNameOfAGlobalStoreIsItsProcessors"),
    ],
    "Streams": [
        ("`filter`", "filter", "Stateless.FilterByReferenceDropsNullValues Stateless.FilterByPointerSeesNullValues"),
        ("`filter_not`", "filterNot", "Stateless.FilterNotKeepsWhatFilterDrops"),
        ("`map`", "map", "Stateless.MapChangesKeyAndValue NullsRefused.ANullThatItCannotSeeIsAnErrorWithItsName Stateless.ANullKeyTakenByReferenceAndHandedOnIsNullAgain"),
        ("`map_values`", "mapValues", "Stateless.MapValuesPassesNullOn Stateless.MapValuesMayAnswerNull"),
        ("`flat_map`", "flatMap", "Stateless.FlatMapYieldsEachPairInOrder"),
        ("`flat_map_values`", "flatMapValues", "Stateless.FlatMapValuesYieldsEachUnderItsKey"),
        ("`select_key`", "selectKey", "Describe.NamesNodesAsKafkaStreamsDoes Stateless.ANullKeyTakenByReferenceAndHandedOnIsNullAgain Stateless.AFunctionThatDoesNotLookAtANullKeyIsCalled"),
        ("`peek`", "peek", "NullsPassed.ANullGoesOn Stateless.PeekSeesEachRecordOnItsWay"),
        ("`foreach`", "foreach", "NullsDropped.ANullThatItCannotSeeIsCounted Names.NeighboursAreInTheOrderOfJavasSets"),
        ("`print`", "print", "Print.LinesHaveTheLabelOrTheNodeBefore Print.WindowedKeysAreShownAsInJava Print.NodesAreDescribedAsByKafka"),
        ("`merge`", "merge", "Stateless.MergeHoldsTheRecordsOfBoth"),
        ("`split`, `branch`, `default_branch`, `no_default_branch`", "split", "Split.TheFirstBranchThatIsTrueTakesTheRecord Split.FunctionsAndConsumersTakeBranches Split.WithoutDefaultTheRestGoesNowhere"),
        ("`KStream::branch`, an older form of `split`", "branch (to 3.x)", "Branch.OlderFormYieldsTheBranchesInOrder"),
        ("`repartition`", "repartition", "Repartition.TakesANumberOrAName Repartition.DropsNullKeysButNotNullValues"),
        ("`through`, an older form of `to` and `stream`", "through (to 3.x)", "Through.WritesAndReadsTheTopic"),
        ("`process`", "process", "ProcessorLife.AnInitThatDoesNotCallTheBasesHasAContext ProcessorLife.NothingIsForwardedInInit Process.RecordsPunctuationsAndStoresGoAsInKafka Process.ForwardsToAChildByName"),
        ("`process_values`", "processValues", "Process.StoresJoinSubTopologiesAsInKafka"),
        ("`Context::schedule`, on both clocks", "ProcessorContext.schedule", "Process.RecordsPunctuationsAndStoresGoAsInKafka"),
        ("a supplier with `stores()`", "ConnectedStoreProvider.stores", "Process.ASupplierMayBringItsStores"),
        ("`transform`, `transform_values`: older names of these two", "transform, transformValues (to 3.x)", "Transform.OlderNamesDoWhatProcessDoes"),
        ("`to(topic)`", "to(String)", "Stateless.HeadersTravelWithTheRecord"),
        ("`to(topic_of)`", "to(TopicNameExtractor)", "Stateless.SinkMayChooseTheTopicOfARecord Stateless.SinkMayChooseTheTopicByHeadersTimeAndOrigin"),
        ("`to_table`", "toTable", "ToTable.DeletesOnNullAndDropsNullKeys ToTable.GoesThroughARepartitionTopicAfterAKeyChange"),
        ("`group_by_key`, `group_by`", "groupByKey, groupBy", "Aggregate.CountGoesThroughARepartitionTopicAfterAKeyChange"),
    ],
    "Grouped streams": [
        ("`count`", "count", "Aggregate.CountDropsNullKeysAndNullValues"),
        ("`reduce`", "reduce", "Aggregate.ReduceBeginsWithTheFirstValue"),
        ("`aggregate`", "aggregate", "Aggregate.AnAggregatorThatAnswersNothingDeletes"),
        ("`cogroup`", "cogroup", "Cogroup.BothStreamsChangeOneAggregate Cogroup.EachInputGoesThroughItsOwnRepartitionTopic"),
    ],
    "Windows": [
        ("`tumbling`", "TimeWindows", "Aggregate.AWindowTakesRecordsUntilItsGraceIsOver"),
        ("`hopping`", "TimeWindows.advanceBy", "Aggregate.HoppingWindowsThatHoldARecordEachCountIt"),
        ("`sliding`", "SlidingWindows", "Windows.SlidingWindowsEndAndBeginAtRecords Windows.ASlidingWindowClosesAfterItsGrace"),
        ("`session`", "SessionWindows", "Windows.ASessionTakesBackWhatItMerges Windows.ASessionTakesRecordsUntilItsGapAndGraceAreOver"),
        ("`unlimited`", "UnlimitedWindows", "Windows.AnUnlimitedWindowBeginsAtItsStartAndNeverEnds"),
        ("cogrouped streams in windows", "TimeWindowedCogroupedKStream, SessionWindowedCogroupedKStream", "Cogroup.BothStreamsChangeOneWindow Cogroup.BothStreamsChangeSlidingWindows Cogroup.BothStreamsChangeSessions"),
        ("emit on close", "EmitStrategy.onWindowClose", "EmitOnClose.ATumblingWindowIsToldOnceInTheOrderOfItsStart EmitOnClose.ASlidingWindowIsToldOnce EmitOnClose.ASessionIsToldOnceAndNeverTakenBack"),
        ("suppress until a window closes", "Suppressed.untilWindowCloses", "Suppress.AWindowIsToldOnceWhenItCloses"),
        ("suppress by time", "Suppressed.untilTimeLimit", "Suppress.AKeyWaitsFromItsFirstUpdateOn Suppress.AFullBufferHandsOnWhatIsOldest"),
    ],
    "Tables": [
        ("`filter`, `filter_not`", "filter, filterNot", "TableFilter.TellsADeletionForWhatDoesNotPass TableFilterNot.KeepsWhatFilterDeletes"),
        ("`map_values`", "mapValues", "TableMapValues.MayAnswerNull"),
        ("`transform_values`", "transformValues", "TableTransformValues.SeesDeletionsByPointer TableTransformer.HasStoresAndAContext TableTransformer.KeepsWhatItYieldsInANamedStore"),
        ("`to_stream`", "toStream", "Table.TellsEachUpdateAndKeepsNothingUnread"),
        ("`Materialized::history`: a versioned table", "Materialized.as(versioned supplier)", "VersionedTable.TellsOvertakenUpdatesAndNotWhatIsOlderThanItsHistory VersionedTable.GroupsOnlyItsLatestUpdates VersionedTable.JoinsOnlyItsLatestUpdates"),
        ("`group_by`, then `count`, `reduce`, `aggregate`", "groupBy; KGroupedTable", "GroupedTable.CountTakesOutOfOneGroupBeforeItAddsToAnother GroupedTable.ReduceSubtractsAndAdds GroupedTable.AnAggregateMayBeDeleted"),
    ],
    "Joins": [
        ("stream and stream: inner", "join (KStream)", "StreamJoin.InnerTellsEachPairOnce StreamJoin.InnerWithAnAsymmetricWindow"),
        ("stream and stream: left", "leftJoin (KStream)", "StreamJoin.LeftTellsOfLeftRecordsWithoutAMatch StreamJoin.LeftWithAnAsymmetricWindow"),
        ("stream and stream: outer", "outerJoin (KStream)", "StreamJoin.OuterTellsOfBothSidesRecordsWithoutAMatch StreamJoin.OuterWithAnAsymmetricWindow"),
        ("a stream and itself", "join (KStream)", "StreamJoin.AStreamMeetsItself"),
        ("stream and table: inner", "join (KTable)", "StreamTableJoin.InnerMeetsWhatTheTableHolds StreamTableJoin.ReadsAVersionedTableAsOfTheRecordsTime"),
        ("stream and table: left", "leftJoin (KTable)", "StreamTableJoin.LeftYieldsEachRecordThatHasAValue StreamTableJoin.LeftTakesNullKeysThroughARepartitionTopic"),
        ("stream and versioned table: `Joined::grace`", "Joined.withGracePeriod", "StreamTableJoin.WithGraceWaitsForTheTable StreamTableJoin.WithGraceNeedsAVersionedTable"),
        ("stream and global table: inner", "join (GlobalKTable)", "StreamGlobalTableJoin.InnerMeetsTheSelectedKey"),
        ("stream and global table: left", "leftJoin (GlobalKTable)", "StreamGlobalTableJoin.LeftYieldsEachRecordThatHasAValue"),
        ("table and table: inner", "join (KTable)", "TableJoin.InnerYieldsKeysThatBothHold"),
        ("table and table: left", "leftJoin (KTable)", "TableJoin.LeftYieldsKeysThatTheLeftOneHolds"),
        ("table and table: outer", "outerJoin (KTable)", "TableJoin.OuterYieldsKeysThatEitherHolds"),
        ("table and table by foreign key: inner", "join with an extractor", "ForeignKeyJoin.InnerYieldsLeftEntriesWithAValueOnTheRight ForeignKeyJoin.SpeaksKafkasBytes"),
        ("table and table by foreign key: left", "leftJoin with an extractor", "ForeignKeyJoin.LeftYieldsAllLeftEntries"),
        ("a joiner of (key, left, right), in each of these", "ValueJoinerWithKey, where a stream is joined", "KeyedJoiner.IsHandedTheKey KeyedJoiner.SeesANullKeyByPointerAlone KeyedJoiners.MayBeOfAnyType"),
    ],
    "Stores": [
        ("key-value, plain", "keyValueStoreBuilder", "ProcessorStores.KeyValueHasAllOfKafkasCalls Process.RecordsPunctuationsAndStoresGoAsInKafka KeyValueStore.RangesAndPrefixesInBothDirections"),
        ("key-value, timestamped", "timestampedKeyValueStoreBuilder", "ProcessorStores.TimestampedHasTheSameCalls KeyValueStore.LogsValuesWithoutTheirTimestamp"),
        ("`lru_map`", "keyValueStoreBuilder(lruMap)", "ProcessorStores.LruMapForgetsWhatWasNotUsedForTheLongestTime LruStore.WhatIsRestoredLogsNothingAndKeepsItsOrder"),
        ("window, timestamped", "timestampedWindowStoreBuilder", "ProcessorStores.TimestampedWindowsAreReadInEitherOrderAndByKeys"),
        ("window", "windowStoreBuilder", "Process.AWindowStoreTellsWhatItDoesNotKeep WindowStore.LogsKeyStartAndNumber WindowStore.KeepsDuplicatesInTheirOrder"),
        ("session", "sessionStoreBuilder", "ProcessorStores.SessionsAreFoundByKeysAndTimes SessionStore.FindsSessionsThatOverlapByEndThenStart"),
        ("versioned", "versionedKeyValueStoreBuilder", "ProcessorStores.VersionedKnowsWhatWasValid VersionedStore.AnswersAsOfATime VersionedStore.EqualsAPlainMapOfVersions"),
        ("a processor reads what the DSL keeps: `Processed::stores`", "connectProcessorAndStateStores, getStateStore", "ProcessorStores.WhatTheDslKeepsCanBeRead"),
        ("`Materialized::changelog`, `StreamJoined::changelog`, `StoreOptions::changelog`, `with_logging` of suppress buffers", "withLoggingEnabled(Map)", "Layout.ChangelogsHaveTheSettingsOfTheirStores"),
        ("`Materialized::persistent`, `StreamJoined::persistent`", "Materialized.withStoreType, StreamJoined.withDslStoreSuppliers", "DslStores.InMemoryMovesWhatLeavesItOpen DslStores.NamesAndTextStayTheSame"),
        ("stores of one's own: `KeyValueBytesStore`, `WindowBytesStore`, `SessionBytesStore`; `Materialized::as(supplier)`", "Materialized.as(KeyValueBytesStoreSupplier, WindowBytesStoreSupplier, SessionBytesStoreSupplier)", "OwnStores.CountsAsInMemory OwnStores.WindowsAsInMemory OwnStores.SessionsAsInMemory OwnState.AtLeastOnceIsWhereTheLastCommitWas OwnState.ExactlyOnceIsEmptiedUnlessItWasClosedWithNothingUncommitted OwnModel.WindowsAnswerAsThoseInMemory OwnModel.SessionsAnswerAsThoseInMemory"),
        ("`key_value_store(supplier)`, `window_store(supplier)`, `session_store(supplier)`, timestamped ones", "keyValueStoreBuilder(supplier, ...) and the others", "OwnStore.OfAProcessorHasAllCalls OwnStore.OfWindowsAndSessionsOfAProcessor OwnStore.ThatIsPersistentForgetsTimesUnlessItSaysOtherwise"),
        ("`StreamJoined::this_store`, `StreamJoined::other_store`", "StreamJoined.withThisStoreSupplier, withOtherStoreSupplier", "OwnStores.JoinStreamsAsInMemory OwnStoresOfJoins.MustKeepWhatTheJoinNeeds"),
        ("`DslStoreChoice`: stores of one's own for the DSL", "DslStoreSuppliers of one's own", "OwnStore.ServesTheDslWhereItLeavesItOpen"),
        ("`default.dsl.store`, `dsl.store.suppliers.class`, `Application::Options::dsl_stores`", "the two settings, DslStoreSuppliers", "DslStores.TheClassSaysMoreThanTheOlderSetting DslStores.AFunctionIsAskedOfEachStoreThatLeavesItOpen"),
        ("versioned, of an aggregate: `Materialized::history`", "Materialized.as(versioned supplier)", "VersionedAggregate.CountKeepsTheLatestTime VersionedAggregate.AggregateEndsAVersionByADeletion VersionedAggregate.CogroupDoesAsAggregate"),
    ],
    "Topology, node by node": [
        ("`TopologyBuilder`: sources, processors, sinks, stores", "addSource, addProcessor, addSink, addStateStore, connectProcessorAndStateStores", "TopologyBuilder.DescribesSourcesStoresAndSinksAsKafkaDoes Refused.NamesTheNode"),
        ("`add_global_store`", "addGlobalStore", "TopologyBuilder.DescribesSourcesStoresAndSinksAsKafkaDoes"),
        ("`Context`: `app_configs`, `state_dir`, `schedule` with a start", "appConfigs, appConfigsWithPrefix, stateDir, schedule(startTime)", "Process.CallsMayBeAskedForOnAGrid"),
        ("`Context::metrics`: sensors", "metrics: addRateTotalSensor, addLatencyRateTotalSensor, addSensor, removeSensor", "StreamsMetrics.AreNamedAndTaggedAsInKafkaStreams StreamsMetrics.ASensorOfOnesOwnTellsTheStatisticsThatItIsGiven"),
        ("`add_read_only_store`", "addReadOnlyStateStore", "TopologyBuilder.ReadOnlyStoresWriteNoChangelog"),
        ("`describe`", "describe", "TopologyBuilder.SubTopologiesAreNumberedByTheirFirstNode Names.NeighboursAreInTheOrderOfJavasSets"),
    ],
    "`topology.optimization`": [
        ("shared repartition topics", "merge.repartition.topics", "Optimize.OneTopicServesBothCountsBehindAKeyChange Optimize.AMergeOfKeyChangesSharesATopic"),
        ("a table's topic as its changelog", "reuse.ktable.source.topics", "Table.ThatIsItsOwnChangelogLogsNothing"),
        ("one store for a self join", "single.store.self.join", "StreamJoin.AStreamMeetsItselfOnOneStore"),
    ],
    "Errors": [
        ("`ErrorHandlers::deserialization`", "deserialization.exception.handler", "Handlers.ContinueDropsTheRecordAtTheNodeThatFails"),
        ("`ErrorHandlers::processing`", "processing.exception.handler", "Results.ThatHaveAnErrorAreTheProcessingHandlersBusiness Handlers.AHandlerOfOnesOwnChoosesAndWritesItsLetters Handlers.AFailedPunctuationHasALetterWithoutRecord Handlers.TheProcessingHandlerSeesTheRecordAtTheNode GlobalState.TheProcessingHandlerIsAskedAboutItsProcessor"),
        ("`ErrorHandlers::production`", "production.exception.handler", "Handlers.WhatCannotBeEncodedIsTheProductionHandlersBusiness Handlers.TheProductionHandlerSeesWhatWasNotWritten Sinks.EachKindAsksAboutWhatIsNotTaken Throwing.AnEncoderOfUpdatesOfAGroupedTableToo"),
        ("a handler that throws", "\"Fatal user code error in ... callback\"", "Handlers.WhatAHandlerThrowsEndsTheTaskWithBothTexts Handlers.TheProcessingHandlerIsNotAskedAboutWhatTheProductionHandlerThrew"),
        ("a time so late that a window of it has no end", "IllegalArgumentException of TimeWindow", "EndOfTime.AWindowOfTimeThatHasNoEndIsAnErrorOfTheRecord"),
        ("a negative timestamp that is forwarded", "StreamsException of Record", "Handlers.ANegativeTimestampIsForwardedToNobody"),
        ("`ErrorHandlers::dead_letter_topic`", "errors.dead.letter.queue.topic.name", "Handlers.DeadLettersHoldTheRecordAndWhatWasWrong Caching.ADeadLetterHasTheRecordThatMadeTheUpdate"),
    ],
    "Queries": [
        ("`KeyQuery`, `RangeQuery`", "get, range, reverseRange, all; KeyQuery, RangeQuery", "KeyQueries.SkipTheCacheWhenAsked Queries.KeyHasItsValueAndTime Queries.RangeIncludesBothEndsInEitherOrder"),
        ("`PrefixQuery`, `CountQuery`", "prefixScan, approximateNumEntries", "Queries.KeysWithAPrefixAndHowManyThereAre"),
        ("`WindowKeyQuery`, `WindowRangeQuery`", "fetch, backwardFetch, fetchAll, backwardFetchAll, all", "Queries.WindowsOfAKeyAndOfAll Queries.WindowsBackwardsAndOfSomeKeys"),
        ("`SessionQuery`, `SessionRangeQuery`, `OneSessionQuery`", "fetch, findSessions, backwardFindSessions, fetchSession", "Queries.SessionsOfAKey Queries.SessionsByTimesByKeysAndOne"),
        ("`VersionedKeyQuery`, `MultiVersionedKeyQuery`", "the same", "Queries.VersionsLatestAsOfAndMany"),
        ("queries of one's own: `run()` over a read-only store", "Query, StateStore.query", "Queries.OfOnesOwnReadTheKindOfStoreThatTheySay Queries.OfOnesOwnGoThroughTheSameGates Queries.OfOnesOwnThatFailAreStoreExceptions OwnQueries.OfAStoreOfOnesOwnSeeWhatIsBelowTheCache"),
        ("global stores", "store() of a global store", "GlobalState.IsAskedAsAWhole"),
    ],
    "Partitioners": [
        ("`Produced::partitioner`, `Repartitioned::partitioner`", "StreamPartitioner", "Partitioner.SinksWriteToEachChosenPartition Partitioner.ChoosingNoneDropsTheRecord Partitioner.TheProductionHandlerIsAskedForEachChosenPartition Partitioner.OperatorsTakeOne"),
        ("windowed keys by the key alone", "WindowedStreamPartitioner", "Partitioner.WindowedKeysGoByTheKeyAlone"),
        ("`TableJoined`", "TableJoined", "Partitioner.SidesOfAForeignKeyJoinMayHaveTheirOwn"),
    ],
    "Serdes": [
        ("`std::string`, vectors of bytes", "String, Bytes, ByteArray, ByteBuffer", "Serdes.TextAndBytesStayAsTheyAre"),
        ("`std::int16_t`, `std::int32_t`, `std::int64_t`, `float`, `double`", "Short, Integer, Long, Float, Double", "Serdes.NumbersAreBigEndian Serdes.NansOfDoublesAreOneAndThoseOfFloatsStay"),
        ("`bool`", "Boolean", "Serdes.TruthIsOneByte"),
        ("`Uuid`", "UUID", "Serdes.UuidsAreText"),
        ("`Void`", "Void", "Serdes.VoidIsNeverThere"),
        ("`list_of`, `std::vector`", "ListSerde", "Serdes.ListsOfSizedEntriesTellEachSize Serdes.ListsOfEntriesOfOneSizeTellWhereNullsAre Serdes.BrokenListsAreRefused"),
        ("`time_windowed`, `time_windowed_changelog`", "WindowedSerdes.timeWindowedSerdeFrom", "Serdes.TimeWindowedKeysEndWithTheStart Sources.AnEmptyWindowedKeyIsNullAndAShortOneDoesNotDecode"),
        ("`session_windowed`", "WindowedSerdes.sessionWindowedSerdeFrom", "Serdes.KeysOfSessionsEndWithEndAndStart"),
        ("`json` of structs with `Members`", "", "Json.StructsAreWrittenAndReadBack Json.ErrorsNameThePlace Json.MissingMembersAreNullOrDefaultOrAnError"),
        ("`avro`, `json_schema` with a `SchemaCodec`", "", "Framed.ValuesFollowMagicAndId Framed.WhatHasNoFrameIsRefused"),
        ("`protobuf` with a `SchemaCodec`", "", "Framed.ProtobufTellsTheMessage"),
    ],
}

HEAD = """# Leat Streams: verbs, joins, windows, stores

Written by `tools/streams_dsl.py`; edit the rows there. Each row names Kafka Streams' operator and the tests that show
ours; a row without a test is not shown to work yet.

Where the text of `describe()` cannot be Java's: a sink that chooses a topic per record has `extractor class: per record`,
where Java prints the address of an object. Patterns of topics are POSIX extended regular expressions (decision
[0021](../decisions/0021-topic-patterns.md)), where Java has its own.
"""

FOOT = """## Null values

A function takes the value of a record by pointer to const (`const V*`), as `std::optional<V>`, or by reference (`const V&`, `V`, `auto`). The first two are shown a null
as Kafka Streams' are. One that takes it by reference cannot be; what happens to the record then depends on the verb, and nothing is left out without a word
([tests](../../src/streams/null_values_test.cc)). Deletions in a topic are such records, and so are those that a table's `to_stream()` tells, sessions that become one included.

| verb | null value, function by reference | Kafka Streams |
|---|---|---|
| `map`, `flat_map`, `flat_map_values`, `select_key`, `group_by`, `to_stream(selector)` | an error (`INVALID_RECORD`, with the operator's name) for the processing exception handler, which ends the application unless told otherwise | calls the function |
| `filter`, `filter_not`, `foreach` | the record is dropped, in the log and counted | calls the function |
| `split`, `branch` | the predicate does not take it; when no branch does, it is dropped, in the log and counted | calls the predicate |
| `map_values` | null stays null | calls the function |
| `peek` | the function is not called, the record goes on | calls the function |
| a stream's `count`, `reduce`, `aggregate`, `cogroup` without windows | never: the record is dropped and counted, also by pointer | the same |
| `reduce`, `aggregate`, `cogroup` in windows and sessions | the aggregate stays as it is | calls the function |
| joiners of a stream, selectors of a join with a global table | never: the record is dropped and counted; a side that may be absent is taken by pointer, or does not compile | the same |
| a table's `filter`, `filter_not`, `map_values`, `group_by`, `join_on`, joiners | never: a deletion stays one | the same |
| a table's `transform_values(function)` | a deletion stays one | calls the function |
| `Consumed::time` of (key, value) or (value) | the record has its own time; a function of `Arrived` sees all | calls the extractor |
| `process`, `process_values`, `ValueTransformer`, `to(topic_of)`, `print`, partitioners | take no references: `std::optional` in a `Record`, else pointers | |

A null key is `K{}` for a function that takes it by reference, and null by pointer; a joiner too: `(key, left, right)` of a left join of a stream is asked
about records without a key, of an outer join about those of both sides ([tests](../../src/streams/keyed_joiner_test.cc)).

So a selector that does not look at the value names it as a pointer: `[](const Windowed<std::string>& window, const std::int64_t*) { return window.key; }`. To leave deletions out on purpose,
say so in front: `.filter([](const V* value) { return value != nullptr; })`.

## Older names

Kafka Streams dropped these in 4.0 or earlier. Programs that are moved here may keep them; new ones have no use for them.

| name | is | beside Java's |
|---|---|---|
| `stream.branch(is_a, is_b)` | `split().branch(is_a).branch(is_b).no_default_branch()` | a vector instead of an array; the nodes have `split`'s names |
| `stream.through("topic")` | `to("topic")`, then `Builder::stream("topic")` with the same serdes | the same: the topic must exist. `repartition()` makes and keeps its own |
| `stream.transform(supplier)` | `process(supplier)` | the supplier makes a `Processor`, which forwards what Java's Transformer returns |
| `stream.transform_values(supplier)` | `process_values(supplier)` | the same with a `FixedKeyProcessor` |
| `table.transform_values(function)` | a verb of its own: as `map_values`, and sees deletions | a function, or a supplier of a `ValueTransformer` with its stores |

## Refused

What Kafka Streams has no meaning for does not compile, and the message names the alternative
([the calls](../../src/streams/testing/refused.h), compiled one by one by the tests `streams_refusal_*`).

| call | instead |
|---|---|
| `stream.outer_join(table, …)` | `left_join`: a table's update alone has no record to join |
| `stream.outer_join(global_table, …)` | `left_join`, or read its topic with `table()` |
| `table.join`, `left_join`, `outer_join` with a global table | read the topic with `table()` and `join_on`, or join `to_stream()` with it |
| `table.join`, `left_join`, `outer_join` with a stream | join the stream with the table, or make it one by `to_table()` |
| `stream.join(global_table, joiner)` | the selector of the table's key comes before the joiner |
| `table.outer_join_on` (by foreign key) | `left_join_on` |
| a joiner that takes a side by reference that may be absent | by pointer to const |
| joins of two streams or two tables, or of a stream and a table, with keys of two types | `select_key` before it; `join_on` for tables; a `GlobalKTable`, which takes a selector |
| a join of two streams without a window or with a duration, of a stream and a table with a window | `within()` behind the joiner; `Joined::grace` |
| a predicate that yields a `std::optional<bool>` or nothing | a `bool`, or a `Result<bool>` |
| a mapper that yields nothing; of `map` no `KeyValue`, of the `flat_` verbs no range | `peek`; `KeyValue{key, value}`; any range |
| a supplier that yields no `std::unique_ptr` | `[] { return std::make_unique<P>(); }` |
| `KeyValue{key, std::nullopt}` | `KeyValue<K, V>{key, std::nullopt}`, or a `std::optional` of the value |
| a function or supplier that has captured what cannot be copied | a `std::shared_ptr`: each task has a copy of the function |
| an adder that changes its aggregate in place, a reducer of one argument | takes the aggregate by value and yields the next |
| of `to` and `add_sink` a function that takes key or value by reference, or yields no text | (key, value) or (key, value, context), by pointer to const; a `std::string`, or a `Result` of one |

Functions may be members too (`&Order::customer`, `&Order::total`), may yield references, and may answer a `Result`: its error is the
processing exception handler's business, as what is thrown is.

What only the whole topology shows is an error of `build()` with the operator's name: [BuildRefuses](../../src/streams/refusal_test.cc).
"""


def registered():
    """Suite.Name of each test to the file that registers it."""
    out = {}
    files = [*(ROOT / "src" / "streams").rglob("*_test.cc"), *(ROOT / "tests" / "streams").rglob("*_test.cc")]
    for path in sorted(files):
        for suite, name in TEST.findall(path.read_text()):
            out[f"{suite}.{name}"] = path.relative_to(ROOT)
    return out


def page(tests):
    lines = [HEAD]
    for section, rows in ROWS.items():
        lines += [f"## {section}", "", "| Leat | Kafka Streams | tests |", "|---|---|---|"]
        for ours, kafkas, names in rows:
            links = [f"[{name}](../../{tests[name]})" for name in names.split()]
            lines.append(f"| {ours} | {kafkas} | {', '.join(links) or '–'} |")
        lines.append("")
    return "\n".join([*lines, FOOT])


def main():
    tests = registered()
    rows = [row for section in ROWS.values() for row in section]
    unknown = [name for row in rows for name in row[2].split() if name not in tests]
    if unknown:
        sys.exit("no test file registers: " + ", ".join(unknown))
    missing = [row[0] for row in rows if not row[2].split()]
    if "--missing" in sys.argv:
        print("\n".join(missing))
        return
    if missing and "--check" in sys.argv:
        sys.exit("no test shows: " + ", ".join(missing))
    text = page(tests)
    if "--check" not in sys.argv:
        PAGE.write_text(text)
    elif not PAGE.exists() or PAGE.read_text() != text:
        sys.exit(f"{PAGE.relative_to(ROOT)} is not what tools/streams_dsl.py writes: run it")


if __name__ == "__main__":
    main()
