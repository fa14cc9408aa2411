// SPDX-License-Identifier: Apache-2.0
//
// The features on kafkajs, with codecs in pure JavaScript beside it. Called as scenario.py says.
'use strict'

const { Kafka, CompressionTypes, CompressionCodecs, ConfigResourceTypes, AssignerProtocol, PartitionAssigners, logLevel } = require('kafkajs')
const lz4 = require('lz4js')
const xxh32 = require('lz4js/xxh32.js')

CompressionCodecs[CompressionTypes.Snappy] = require('kafkajs-snappy')
// lz4js leaves out the flag that blocks are independent, which they are, and Apache Kafka insists on it.
function lz4Frame(bytes) {
  const frame = Buffer.from(lz4.compress(bytes))
  frame[4] |= 0x20
  frame[6] = (xxh32.hash(0, frame, 4, 2) >> 8) & 0xff
  return frame
}
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: async (encoder) => lz4Frame(encoder.buffer),
  decompress: async (buffer) => Buffer.from(lz4.decompress(buffer)),
})
const zstd = new Promise((resolve) => require('zstd-codec').ZstdCodec.run((codec) => resolve(new codec.Simple())))
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: async (encoder) => Buffer.from((await zstd).compress(encoder.buffer)),
  decompress: async (buffer) => Buffer.from((await zstd).decompress(buffer)),
})

const EPOCH_MS = 1_700_000_000_000 // all times that a scenario sets start here
const [bootstrap, prefix, ...wanted] = process.argv.slice(2)
const kafka = new Kafka({ brokers: [bootstrap], clientId: 'kafkajs', logLevel: logLevel.ERROR, requestTimeout: 30_000 })
kafka.logger().setLogLevel(logLevel.NOTHING)
const admin = kafka.admin({ retry: { retries: 3 } })
const topicOf = (name) => `${prefix}-${name}`
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
// Apache Kafka tells of a change a moment after it agreed to it: pause before looking at the outcome.
const settle = () => sleep(500)
const range = (count) => [...Array(count).keys()]
const numbered = (stem, count) => range(count).map((i) => stem + i)
const simple = (partition, ...values) => values.map((value) => ({ partition, key: 'k', value, timestamp: String(EPOCH_MS) }))

async function waitUntil(what, condition) {
  const deadline = Date.now() + 40_000
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`)
    await sleep(10)
  }
}

// OK and the result, or the name of the broker's error.
async function outcome(action) {
  try {
    const result = await action()
    return typeof result === 'string' ? `OK ${result}` : 'OK'
  } catch (why) {
    if (why.cause?.type) return why.cause.type
    const inner = why.errors?.[0] ?? why.groups?.[0] ?? why.partitions?.[0] ?? why
    return inner.type ?? inner.errorCode ?? inner.error?.type ?? why.type ?? why.name
  }
}

async function create(name, partitions = 1) {
  await admin.createTopics({ topics: [{ topic: topicOf(name), numPartitions: partitions, replicationFactor: 1 }], waitForLeaders: true })
  return topicOf(name)
}

async function produce(topic, messages, options = {}, settings = {}) {
  const producer = kafka.producer({ allowAutoTopicCreation: false, ...settings })
  await producer.connect()
  try {
    return await producer.send({ topic, messages, acks: -1, ...options })
  } finally {
    await producer.disconnect()
  }
}

const shown = (bytes) => (bytes === null || bytes === undefined ? 'null' : JSON.stringify(bytes.toString()))

function line(partition, row) {
  const headers = Object.entries(row.headers).map(([name, value]) => `${name}=${[value].flat().map(shown).join('+')}`)
  return `${partition}:${row.offset} t=${row.timestamp} k=${shown(row.key)} v=${shown(row.value)} h=[${headers}]`
}

function sample(index) {
  const key = index % 10 === 9 ? null : index % 10 === 8 ? '' : `key-${index % 7}`
  const value = index % 10 === 7 ? null : index % 10 === 6 ? '' : `value-${index}`
  const headers = index % 4 === 0 ? {} : { index: String(index), empty: '', again: ['1', '2'] }
  return { partition: index % 3, key, value, headers, timestamp: String(EPOCH_MS + index * 1000) }
}

function payload(index) {
  let text = `payload-${index}-`
  while (text.length < 300) text += `abcdefghij${index * 7919}`
  return text.slice(0, 300)
}

// kafkajs reads in groups only: a group of one, sought to the offset.
async function read(topic, partition, count, offset = '0') {
  const consumer = kafka.consumer({ groupId: `${topic}-reader-${partition}-${offset}`, maxWaitTimeInMs: 100, retry: { retries: 10 } })
  const found = []
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await consumer.run({ autoCommit: false, eachMessage: async ({ partition: from, message }) => {
    if (from === partition && Number(message.offset) >= Number(offset) && found.length < count) found.push(message)
  } })
  consumer.seek({ topic, partition, offset })
  try {
    await waitUntil(`${count} records of ${topic}`, () => found.length >= count)
  } finally {
    await consumer.disconnect()
  }
  return found
}

const features = {}

features.create_topics = async (facts) => {
  const attempts = {
    new: { topic: topicOf('records'), numPartitions: 3, replicationFactor: 1 },
    'with settings': { topic: topicOf('compact'), numPartitions: 1, replicationFactor: 1,
      configEntries: [{ name: 'cleanup.policy', value: 'compact' }, { name: 'retention.ms', value: '7200000' }] },
    assigned: { topic: topicOf('assigned'), replicaAssignment: [{ partition: 0, replicas: [1] }, { partition: 1, replicas: [1] }] },
    'bad name': { topic: 'bad/name', numPartitions: 1, replicationFactor: 1 },
    'three replicas': { topic: topicOf('three'), numPartitions: 1, replicationFactor: 3 },
    'no partitions': { topic: topicOf('zero'), numPartitions: 0, replicationFactor: 1 },
    'unknown setting': { topic: topicOf('unknown'), numPartitions: 1, replicationFactor: 1, configEntries: [{ name: 'no.such.setting', value: '1' }] },
  }
  for (const [what, topic] of Object.entries(attempts)) {
    facts.push(`${what}: ${await outcome(() => admin.createTopics({ topics: [topic] }))}`)
  }
  facts.push(`again: ${await admin.createTopics({ topics: [attempts.new] })}`)
  facts.push(`validated: ${await outcome(() => admin.createTopics({ validateOnly: true, waitForLeaders: false, topics: [{ ...attempts.new, topic: topicOf('dry') }] }))}`)
  await settle()
  const { topics } = await admin.fetchTopicMetadata({ topics: [topicOf('records'), topicOf('assigned')] })
  for (const topic of topics.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    for (const p of topic.partitions.sort((a, b) => a.partitionId - b.partitionId)) {
      facts.push(`${topic.name} ${p.partitionId} leader ${p.leader} replicas ${p.replicas} isr ${p.isr} code ${p.partitionErrorCode}`)
    }
  }
  const cluster = await admin.describeCluster()
  facts.push(`controller ${cluster.controller} brokers ${cluster.brokers.length}; dry listed ${(await admin.listTopics()).includes(topicOf('dry'))}`)
}

features.produce = async (facts) => {
  const places = await produce(topicOf('records'), range(60).map(sample))
  facts.push(...places.map((p) => `${p.partition} base ${p.baseOffset} code ${p.errorCode} log start ${p.logStartOffset}`).sort())
  for (const acks of [0, 1, -1]) {
    facts.push(`acks ${acks}: ${await outcome(() => produce(topicOf('compact'), simple(0, 'a'), { acks }))}`)
  }
  facts.push(`big ${await outcome(() => produce(topicOf('compact'), simple(0, 'x'.repeat(2_000_000))))}`)
}

features.consume = async (facts) => {
  for (const partition of range(3)) {
    facts.push(...(await read(topicOf('records'), partition, 20)).map((row) => line(partition, row)))
  }
  facts.push(...(await read(topicOf('records'), 1, 13, '7')).map((row) => 'from 7: ' + line(1, row)))
}

const codecs = { none: CompressionTypes.None, gzip: CompressionTypes.GZIP, snappy: CompressionTypes.Snappy, lz4: CompressionTypes.LZ4, zstd: CompressionTypes.ZSTD }
for (const [name, compression] of Object.entries(codecs)) {
  features[`codec_${name}`] = async (facts) => {
    const topic = await create(`codec-${name}`)
    const sent = range(200).map((i) => ({ partition: 0, key: 'k', value: payload(i), timestamp: String(EPOCH_MS + i) }))
    const places = await produce(topic, sent, { compression })
    const back = await read(topic, 0, 200)
    back.forEach((row, i) => {
      if (row.value.toString() !== sent[i].value || row.timestamp !== sent[i].timestamp) throw new Error(`record ${i} differs`)
    })
    facts.push(`base ${places[0].baseOffset}, last ${back[199].offset}, from the middle ${(await read(topic, 0, 1, '150'))[0].offset}`)
  }
}

features.idempotence = async (facts) => {
  const topic = await create('idempotence')
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 5 })
  await producer.connect()
  for (const i of range(50)) {
    const places = await producer.send({ topic, messages: simple(0, ...range(10).map((j) => `value-${i * 10 + j}`)) })
    if (Number(places[0].baseOffset) !== i * 10) throw new Error(`batch ${i} is at ${places[0].baseOffset}`)
  }
  await producer.disconnect()
  const back = await read(topic, 0, 500)
  back.forEach((row, i) => {
    if (row.value.toString() !== `value-${i}`) throw new Error(`record ${i} is out of place`)
  })
  facts.push(`last ${back[499].offset}`)
}

features.offsets_by_time = async (facts) => {
  const topic = topicOf('records')
  const byPartition = (rows) => rows.map((row) => `${row.partition}: ${row.offset} ${row.low ?? ''} ${row.high ?? ''}`).sort()
  facts.push(...byPartition(await admin.fetchTopicOffsets(topic)))
  for (const shift of [-1000, 0, 1, 30_000, 57_000, 57_001, 1_000_000]) {
    facts.push(...byPartition(await admin.fetchTopicOffsetsByTimestamp(topic, EPOCH_MS + shift)).map((row) => `${shift} ms ${row}`))
  }
}

async function join(group, topic) {
  const consumer = kafka.consumer({ groupId: group, sessionTimeout: 6000, heartbeatInterval: 300, rebalanceTimeout: 10_000, maxWaitTimeInMs: 100,
    partitionAssigners: [PartitionAssigners.roundRobin] })
  const member = { owned: new Set(), rows: new Set(), leave: () => consumer.disconnect() }
  consumer.on(consumer.events.GROUP_JOIN, ({ payload: given }) => { member.owned = new Set(given.memberAssignment[topic] ?? []) })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await consumer.run({ autoCommitThreshold: 1, eachMessage: async ({ partition, message }) => { member.rows.add(`${partition}:${message.offset} ${message.value}`) } })
  return member
}

const text = (set) => [...set].sort().join(' ')
const committed = async (group, topic) => (await admin.fetchOffsets({ groupId: group, topics: [topic] }))[0].partitions
  .map((row) => `committed ${row.partition}: ${row.offset} ${row.metadata}`).sort()

features.group = async (facts) => {
  const topic = await create('group', 4)
  const group = topicOf('group-group')
  for (const partition of range(4)) await produce(topic, simple(partition, ...numbered(`value-${partition}-`, 10)))
  const first = await join(group, topic)
  try {
    await waitUntil('the first member to read all', () => first.owned.size === 4 && first.rows.size === 40)
    facts.push(`A owns ${text(first.owned)}`)
    const second = await join(group, topic)
    try {
      await waitUntil('two members to share', () => first.owned.size === 2 && second.owned.size === 2)
      facts.push(`A and B own ${text([...first.owned, ...second.owned])}`)
    } finally {
      await second.leave()
    }
    await waitUntil('the first member to own all again', () => first.owned.size === 4)
    for (const partition of range(4)) await produce(topic, simple(partition, 'late'))
    await waitUntil('late records', () => first.rows.size === 44)
    facts.push(`A owns ${text(first.owned)}`)
  } finally {
    await first.leave()
  }
  facts.push(...[...first.rows].sort(), ...(await committed(group, topic)))
}

features.commit_resume = async (facts) => {
  const topic = await create('commit')
  const group = topicOf('commit-group')
  await produce(topic, simple(0, ...numbered('value-', 10)))
  for (const count of [4, 6]) {
    const consumer = kafka.consumer({ groupId: group, sessionTimeout: 6000, maxWaitTimeInMs: 100 })
    const found = []
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await consumer.run({ autoCommit: false, eachMessage: async ({ message }) => { if (found.length < count) found.push(message) } })
    await waitUntil('records of the group', () => found.length === count)
    facts.push(...found.map((row) => `${count}: ${line(0, row)}`))
    await consumer.commitOffsets([{ topic, partition: 0, offset: String(Number(found[count - 1].offset) + 1), metadata: `after ${count}` }])
    await consumer.disconnect()
    facts.push(...(await committed(group, topic)))
  }
  await admin.setOffsets({ groupId: group, topic, partitions: [{ partition: 0, offset: '2' }] })
  facts.push('set back', ...(await committed(group, topic)))
  await admin.resetOffsets({ groupId: group, topic, earliest: true })
  facts.push('reset', ...(await committed(group, topic)))
}

const transactional = (name) => kafka.producer({ transactionalId: topicOf(name), idempotent: true, maxInFlightRequests: 1, retry: { retries: 5 } })

// Rows of a partition as far as there are any, for a reader of committed records or of all.
async function seen(facts, topic, partition, count, readUncommitted = false) {
  const consumer = kafka.consumer({ groupId: `${topic}-seen-${partition}-${readUncommitted}-${facts.length}`, maxWaitTimeInMs: 100, readUncommitted })
  const rows = []
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await consumer.run({ autoCommit: false, eachMessage: async ({ partition: from, message }) => {
    if (from === partition) rows.push(`${partition}:${message.offset} ${message.value}`)
  } })
  try {
    await waitUntil(`${count} records of ${topic}`, () => rows.length >= count)
    await sleep(1000) // What comes now is too much.
  } finally {
    await consumer.disconnect()
  }
  facts.push(...rows.map((row) => `${readUncommitted ? 'uncommitted' : 'committed'} ${row}`))
}

features.transactions = async (facts) => {
  const topic = await create('transactions', 3)
  const first = transactional('writer')
  await first.connect()
  for (const i of range(6)) {
    const open = await first.transaction()
    await open.send({ topic, messages: range(3).map((partition) => ({ partition, value: `t${i}-${partition}` })) })
    await (i % 3 === 2 ? open.abort() : open.commit())
  }
  const open = await first.transaction()
  await open.send({ topic, messages: [{ partition: 0, value: 'left open' }] })
  await seen(facts, topic, 0, 4)
  const second = transactional('writer')
  await second.connect()
  facts.push(`fenced ${await outcome(() => open.send({ topic, messages: [{ partition: 0, value: 'too late' }] }))}`)
  const last = await second.transaction()
  await last.send({ topic, messages: [{ partition: 1, value: 'second' }] })
  await last.commit()
  await first.disconnect()
  await second.disconnect()
  for (const partition of range(3)) await seen(facts, topic, partition, partition === 1 ? 5 : 4)
  await seen(facts, topic, 0, 7, true)
}

features.transactional_offsets = async (facts) => {
  const source = await create('source')
  const target = await create('target')
  const group = topicOf('transformers')
  await produce(source, simple(0, ...numbered('v', 10)))
  const rows = await read(source, 0, 10)
  const producer = transactional('transformer')
  await producer.connect()
  for (const start of [0, 5]) {
    const open = await producer.transaction()
    await open.send({ topic: target, messages: rows.slice(start, start + 5).map((row) => ({ partition: 0, value: `seen ${row.offset}` })) })
    await open.sendOffsets({ consumerGroupId: group, topics: [{ topic: source, partitions: [{ partition: 0, offset: String(start + 5) }] }] })
    await (start === 0 ? open.commit() : open.abort())
    await settle()
    facts.push(...(await committed(group, source)))
  }
  await producer.disconnect()
  await seen(facts, target, 0, 5)
}

// Somebody else's transactions: see transactional.py.
features.read_committed = async (facts) => {
  await seen(facts, topicOf('committed'), 0, 4)
  await seen(facts, topicOf('committed'), 0, 7, true)
}

const config = (name) => admin.describeConfigs({ includeSynonyms: true, resources: [{ type: ConfigResourceTypes.TOPIC, name }] })

features.describe_configs = async (facts) => {
  const { resources } = await config(topicOf('compact'))
  facts.push(...resources[0].configEntries.map((entry) => {
    const synonyms = entry.configSynonyms.filter((s) => !s.configName.startsWith('leat.')).map((s) => `${s.configName}=${s.configValue} ${s.configSource}`)
    return `config ${entry.configName}=${entry.configValue} source ${entry.configSource} default ${entry.isDefault} ro ${entry.readOnly} ` +
      `sensitive ${entry.isSensitive} synonyms [${synonyms}]`
  }).sort())
  facts.push(`unknown topic ${await outcome(() => config(topicOf('not-there')))}`)
}

features.alter_configs = async (facts) => {
  const topic = await create('settings')
  const own = async () => (await settle(), await config(topic)).resources[0].configEntries.filter((e) => e.configSource === 1).map((e) => `${e.configName}=${e.configValue}`).sort()
  const alter = (name, ...configEntries) => admin.alterConfigs({ validateOnly: false, resources: [{ type: ConfigResourceTypes.TOPIC, name, configEntries }] })
  const changes = {
    set: [{ name: 'retention.ms', value: '123456' }, { name: 'max.message.bytes', value: '2000000' }],
    replace: [{ name: 'cleanup.policy', value: 'compact,delete' }],
    unknown: [{ name: 'no.such.setting', value: '1' }],
    'bad value': [{ name: 'retention.ms', value: 'soon' }],
  }
  for (const [what, entries] of Object.entries(changes)) {
    facts.push(`${what} ${await outcome(() => alter(topic, ...entries))} ${await own()}`)
  }
  facts.push(`unknown topic ${await outcome(() => alter(topicOf('not-there'), ...changes.set))}`)
}

features.create_partitions = async (facts) => {
  const topic = await create('grow')
  const grow = (name, count) => outcome(() => admin.createPartitions({ topicPartitions: [{ topic: name, count }] }))
  facts.push(`three ${await grow(topic, 3)}`, `three again ${await grow(topic, 3)}`, `fewer ${await grow(topic, 2)}`)
  await waitUntil('three partitions', async () => (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0].partitions.length === 3)
  await produce(topic, simple(2, 'new'))
  facts.push(line(2, (await read(topic, 2, 1))[0]))
}

features.delete_records = async (facts) => {
  const topic = await create('cut')
  await produce(topic, simple(0, ...numbered('value-', 10)))
  await admin.fetchTopicOffsets(topic) // without it this client does not know the leader
  for (const offset of ['4', '11', '-1']) {
    facts.push(`before ${offset}: ${await outcome(() => admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset }] }))}`)
    const [row] = await admin.fetchTopicOffsets(topic)
    facts.push(`low ${row.low} high ${row.high}`)
  }
}

features.delete_topic = async (facts) => {
  const topic = await create('gone', 2)
  await produce(topic, simple(0, 'old'))
  facts.push(`delete ${await outcome(() => admin.deleteTopics({ topics: [topic] }))}`, `again ${await outcome(() => admin.deleteTopics({ topics: [topic] }))}`)
  await settle()
  facts.push(`listed ${(await admin.listTopics()).includes(topic)}`)
  await create('gone')
  await waitUntil('the topic of the same name', async () => (await outcome(() => produce(topic, simple(0, 'new')))) === 'OK')
  facts.push(line(0, (await read(topic, 0, 1))[0]))
}

features.groups_admin = async (facts) => {
  const topic = await create('admin')
  const group = topicOf('admin-group')
  await produce(topic, simple(0, 'a', 'b'))
  const listed = async () => `listed ${(await admin.listGroups()).groups.filter((row) => row.groupId === group).map((row) => row.protocolType)}`
  const describe = async (name) => {
    const { groups: [row] } = await admin.describeGroups([name])
    const members = row.members.map((m) => {
      const assigned = AssignerProtocol.MemberAssignment.decode(m.memberAssignment)
      return `${m.clientId} ${m.clientHost} ${JSON.stringify(assigned.assignment)}`
    })
    return `${row.groupId} code ${row.errorCode} ${row.state} ${row.protocolType} ${row.protocol} [${members}]`
  }
  const remove = () => outcome(() => admin.deleteGroups([group]))
  const member = await join(group, topic)
  await waitUntil('the member to read', () => member.rows.size === 2)
  facts.push(await listed(), await describe(group), `delete with members ${await remove()}`)
  await member.leave()
  facts.push(await listed(), await describe(group), `delete ${await remove()}`, `again ${await remove()}`, await listed())
  facts.push(`unknown ${await describe(topicOf('not-there'))}`)
}

const fs = require('fs')

// The ways into a secured broker, see security.py.
function wayOf(name) {
  const way = JSON.parse(fs.readFileSync(process.env.LEAT_SECURITY))[name]
  const client = (login) => {
    const text = (path) => (path ? fs.readFileSync(path, 'utf8') : undefined)
    const mechanism = login.mechanism?.toLowerCase()
    const sasl = !mechanism ? undefined
      : mechanism === 'oauthbearer' ? { mechanism, oauthBearerProvider: async () => ({ value: login.token }) }
        : { mechanism, username: login.user, password: login.password }
    const secure = new Kafka({ brokers: [way.bootstrap], ssl: { ca: [text(login.ca)], cert: text(login.certificate), key: text(login.key) }, sasl,
      retry: { retries: 2 }, reauthenticationThreshold: 1000 })
    secure.logger().setLogLevel(logLevel.NOTHING)
    return secure
  }
  return { way, client }
}

function secured(name) {
  return async (facts) => {
    const { way, client } = wayOf(name)
    const topic = topicOf(name)
    const secureAdmin = client(way.good).admin()
    await secureAdmin.connect()
    await secureAdmin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 1 }], waitForLeaders: true })
    await secureAdmin.disconnect()
    const producer = client(way.good).producer()
    await producer.connect()
    const [sent] = await producer.send({ topic, acks: -1, messages: ['a', 'b', 'c'].map((value) => ({ value, partition: 0 })) })
    await producer.disconnect()
    facts.push(`written ${sent.baseOffset}`)
    const consumer = client(way.good).consumer({ groupId: topicOf(`secured-${name}`) })
    const rows = []
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({ eachMessage: async ({ message }) => { rows.push(`${message.offset}:${message.value}`) } })
    await waitUntil('the records', () => rows.length === 3)
    await consumer.disconnect()
    facts.push(`read ${rows}`)
    const stranger = client(way.wrong).admin()
    try {
      await stranger.connect()
      await stranger.listTopics()
      facts.push('the wrong login is let in')
    } catch (why) {
      // With a token it ends at the closed connection on one broker and after its retries on the other: see docs/roadmap.md.
      facts.push(`the wrong login: ${name.startsWith('sasl_') && name !== 'sasl_oauthbearer' ? why.name : 'refused'}`)
    }
    await stranger.disconnect()
  }
}
for (const name of ['tls', 'mtls', 'sasl_plain', 'sasl_scram_256', 'sasl_scram_512', 'sasl_oauthbearer']) features[name] = secured(name)

// Ports of ours that are connected to that port of this machine.
function connectionsTo(address) {
  const wanted = Number(address.split(':').pop())
  const rows = ['tcp', 'tcp6'].flatMap((name) => fs.readFileSync(`/proc/net/${name}`, 'utf8').trim().split('\n').slice(1))
  return new Set(rows.map((row) => row.trim().split(/\s+/)).filter(([, , remote, state]) => state === '01' && parseInt(remote.split(':').pop(), 16) === wanted)
    .map(([, local]) => local))
}

// Writes for longer than two sessions of security.py last: who does not prove anew who he is loses his connection and opens another.
features.reauthentication = async (facts) => {
  const { way, client } = wayOf('reauthentication')
  const topic = topicOf('reauthentication')
  const secureAdmin = client(way.good).admin()
  await secureAdmin.connect()
  await secureAdmin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 1 }], waitForLeaders: true })
  await secureAdmin.disconnect()
  const producer = client(way.good).producer()
  await producer.connect()
  let before
  for (const number of range(90)) {
    const [sent] = await producer.send({ topic, acks: -1, messages: [{ value: `row ${number}`, partition: 0 }] })
    if (sent.baseOffset !== String(number)) throw new Error(`row ${number} is at ${sent.baseOffset}`)
    if (number === 9) before = connectionsTo(way.bootstrap)
    await sleep(100)
  }
  const after = connectionsTo(way.bootstrap)
  if (!after.size) throw new Error('nobody is connected')
  const fresh = [...after].filter((port) => !before.has(port)).length
  facts.push(`stayed connected ${fresh < after.size && fresh <= 1}`)
  await producer.disconnect()
}

async function main() {
  await admin.connect()
  for (const [name, run] of Object.entries(features)) {
    if (wanted.length && !wanted.includes(name)) continue
    const facts = []
    const started = Date.now()
    let error = null
    try {
      await run(facts)
    } catch (why) {
      console.error(why)
      error = String(why)
    }
    console.log(JSON.stringify({ feature: name, ok: error === null, facts, error, seconds: (Date.now() - started) / 1000 }))
  }
  await admin.disconnect()
  process.exit(0)
}

main()
