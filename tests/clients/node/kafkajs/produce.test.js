// Braid, Apache-2.0.
'use strict';
const assert = require('node:assert/strict');
const { randomBytes } = require('node:crypto');
const { test, unique } = require('support');
const { CompressionTypes, withAdmin, withProducer, createTopic, read } = require('./client');

for (const codec of ['None', 'GZIP', 'Snappy'])
  test(`what was produced with ${codec} is read as it was written`, async () => {
    const topic = unique('codec');
    await createTopic(topic, 3);
    const sent = Array.from({ length: 300 }, (_, i) => ({ key: `key-${i}`, value: `${i} `.repeat(20) }));
    await withProducer({}, (p) => p.send({ topic, compression: CompressionTypes[codec], messages: sent }));
    const got = await read(topic, sent.length);
    assert.equal(got.length, sent.length);
    const byKey = new Map(got.map((m) => [m.key.toString(), m.value.toString()]));
    for (const { key, value } of sent) assert.equal(byKey.get(key), value);
  });

test('headers, keys, tombstones and times come back byte for byte', async () => {
  const topic = unique('bytes');
  await createTopic(topic);
  const binary = Buffer.from([0, 0xff, 0xfe, 0x80, 0]);
  const timestamp = Date.now() - 5000;
  await withProducer({}, (p) =>
    p.send({
      topic,
      messages: [
        {
          key: binary,
          value: binary,
          timestamp: String(timestamp),
          headers: { text: 'é', binary, twice: ['1', binary], empty: '' },
        },
        { key: 'gone', value: null },
        { key: null, value: '' },
      ],
    }),
  );
  const [first, tombstone, empty] = await read(topic, 3);
  assert.deepEqual(first.key, binary);
  assert.deepEqual(first.value, binary);
  assert.equal(first.timestamp, String(timestamp));
  assert.equal(first.headers.text.toString(), 'é');
  assert.deepEqual(first.headers.binary, binary);
  assert.deepEqual(first.headers.twice.map(Buffer.from), [Buffer.from('1'), binary]);
  assert.equal(first.headers.empty.length, 0);
  assert.equal(tombstone.value, null);
  assert.equal(tombstone.key.toString(), 'gone');
  assert.equal(empty.key, null);
  assert.equal(empty.value.length, 0);
});

test('acks 0, 1 and all store the messages; only the last two tell the offset', async () => {
  const topic = unique('acks');
  await createTopic(topic);
  await withProducer({}, async (p) => {
    const one = await p.send({ topic, acks: 1, messages: [{ value: 'one' }] });
    const all = await p.send({ topic, acks: -1, messages: [{ value: 'all' }] });
    assert.equal(one[0].baseOffset, '0');
    assert.equal(all[0].baseOffset, '1');
    await p.send({ topic, acks: 0, messages: [{ value: 'none' }] });
  });
  const got = await read(topic, 3);
  assert.deepEqual(got.map((m) => m.value.toString()), ['one', 'all', 'none']);
});

test('an idempotent producer keeps its order over many batches', async () => {
  const topic = unique('idempotent');
  await createTopic(topic);
  await withProducer({ idempotent: true, maxInFlightRequests: 1 }, async (p) => {
    for (let batch = 0; batch < 20; ++batch)
      await p.send({ topic, messages: Array.from({ length: 10 }, (_, i) => ({ value: String(batch * 10 + i) })) });
  });
  const got = await read(topic, 200);
  assert.deepEqual(got.map((m) => Number(m.value)), Array.from({ length: 200 }, (_, i) => i));
});

test('a message just below the limit is stored, one above it is refused by name', async () => {
  const topic = unique('large');
  await createTopic(topic);
  const large = randomBytes(1000000);
  await withProducer({ retry: { retries: 0 } }, async (p) => {
    await p.send({ topic, messages: [{ value: large }] });
    await assert.rejects(p.send({ topic, messages: [{ value: randomBytes(1100000) }] }), (error) => {
      assert.equal(error.type ?? error.cause?.type, 'MESSAGE_TOO_LARGE');
      return true;
    });
  });
  const got = await read(topic, 1);
  assert.ok(got[0].value.equals(large));
});

test('an unknown topic is said to be unknown', async () => {
  await withProducer({ allowAutoTopicCreation: false, retry: { retries: 1, initialRetryTime: 50 } }, async (p) => {
    await assert.rejects(p.send({ topic: unique('nowhere'), messages: [{ value: 'x' }] }), (error) => {
      assert.equal((error.cause ?? error).type ?? error.type, 'UNKNOWN_TOPIC_OR_PARTITION');
      return true;
    });
  });
});

test('a topic that is created without any number has the defaults of the broker', async () => {
  const topic = unique('defaults');
  await withAdmin(async (admin) => {
    assert.equal(await admin.createTopics({ topics: [{ topic }] }), true);
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    assert.ok(topics[0].partitions.length >= 1);
  });
});
