// Braid, Apache-2.0.
'use strict';
const assert = require('node:assert/strict');
const { randomBytes } = require('node:crypto');
const { test, unique, order } = require('support');
const { native, createTopic, produce, read } = require('./client');

const { ERR_MSG_SIZE_TOO_LARGE, ERR_UNKNOWN_TOPIC_OR_PART, ERR__UNKNOWN_TOPIC } = native.CODES.ERRORS;

for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd'])
  test(`what was produced with ${codec} is read as it was written`, async () => {
    const topic = unique('codec');
    await createTopic(topic, 3);
    const sent = Array.from({ length: 500 }, (_, i) => ({ key: `k${i}`, value: Buffer.from(`${i} `.repeat(20)) }));
    const reports = await produce(topic, sent, { 'compression.codec': codec });
    assert.ok(reports.every((r) => !r.error && r.offset >= 0));
    const got = new Map((await read(topic, sent.length)).map((m) => [m.key.toString(), m.value]));
    for (const { key, value } of sent) assert.ok(got.get(key).equals(value));
  });

for (const acks of [0, 1, -1])
  test(`acks=${acks}: everything sent is there, in order`, async () => {
    const topic = unique('acks');
    await createTopic(topic);
    const sent = Array.from({ length: 100 }, (_, i) => ({ value: Buffer.from(String(i)) }));
    await produce(topic, sent, { acks });
    assert.deepEqual((await read(topic, 100)).map((m) => Number(m.value)), Array.from({ length: 100 }, (_, i) => i));
  });

test('headers, keys, tombstones and times come back byte for byte', async () => {
  const topic = unique('bytes');
  await createTopic(topic);
  const binary = Buffer.from([0, 0xff, 0xfe, 0x80, 0]);
  const timestamp = Date.now() - 60000;
  await produce(topic, [
    { partition: 0, key: binary, value: binary, timestamp, headers: [{ a: '1' }, { a: binary }] },
    { partition: 0, key: 'gone', value: null },
  ]);
  const [first, tombstone] = await read(topic, 2);
  assert.ok(first.key.equals(binary) && first.value.equals(binary));
  assert.equal(Number(first.timestamp), timestamp);
  assert.deepEqual(first.headers.a.map((v) => Buffer.from(v)), [Buffer.from('1'), binary]);
  assert.equal(tombstone.value, null);
});

test('an idempotent producer neither loses nor doubles over a crash of the broker', async () => {
  const topic = unique('idempotent');
  await createTopic(topic);
  const sent = Array.from({ length: 2000 }, (_, i) => ({ value: Buffer.from(String(i)) }));
  const options = { 'enable.idempotence': true, 'batch.num.messages': 20 };
  const reports = await produce(topic, sent, options, () => order('crash'));
  assert.ok(reports.every((r) => !r.error));
  const got = await read(topic, sent.length);
  assert.deepEqual(got.map((m) => Number(m.value)), sent.map((_, i) => i));
});

test('large messages pass up to the limit and are refused beyond it', async () => {
  const topic = unique('large');
  await createTopic(topic);
  const large = randomBytes(1000000);
  const options = { 'message.max.bytes': 2000000, 'compression.codec': 'none' };
  const [stored] = await produce(topic, [{ value: large }], options);
  assert.equal(stored.error, null);
  const [refused] = await produce(topic, [{ value: randomBytes(1500000) }], options);
  assert.equal(refused.error.code, ERR_MSG_SIZE_TOO_LARGE);
  assert.ok((await read(topic, 1))[0].value.equals(large));
});

test('an unknown topic is said to be unknown', async () => {
  const options = { 'allow.auto.create.topics': false, 'topic.metadata.propagation.max.ms': 200 };
  const [report] = await produce(unique('nowhere'), [{ value: Buffer.from('x') }], options);
  assert.ok([ERR_UNKNOWN_TOPIC_OR_PART, ERR__UNKNOWN_TOPIC].includes(report.error.code), String(report.error));
});
