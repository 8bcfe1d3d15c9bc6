// Braid, Apache-2.0.
'use strict';
const assert = require('node:assert/strict');
const { test, opened, unique, eventually, order } = require('support');
const { kafka, withProducer, withAdmin, createTopic, consume } = require('./client');

const fill = (topic, count, from = 0) =>
  withProducer({}, (p) =>
    p.send({ topic, messages: Array.from({ length: count }, (_, i) => ({ key: `k${i}`, value: String(from + i) })) }),
  );

test('members that join and leave share the partitions, and every message is consumed', async () => {
  const topic = unique('group');
  const group = unique('g');
  await createTopic(topic, 4);
  const first = await consume(topic, group);
  await eventually(() => first.assignment()?.length === 4, 'the first member has all partitions');
  const second = await consume(topic, group);
  await eventually(() => first.assignment()?.length === 2 && second.assignment()?.length === 2, 'two and two');
  assert.deepEqual([...first.assignment(), ...second.assignment()].sort(), [0, 1, 2, 3]);
  await fill(topic, 400);
  await eventually(() => first.messages.length + second.messages.length === 400, 'all 400');
  assert.ok(first.messages.length > 0 && second.messages.length > 0);
  await first.stop();
  await eventually(() => second.assignment()?.length === 4, 'the second member has all partitions');
  await fill(topic, 100, 400);
  await eventually(() => first.messages.length + second.messages.length === 500, 'all 500');
  await second.stop();
});

test('a group goes on where it was, over a restart of its members and a crash of the broker', async () => {
  const topic = unique('resume');
  const group = unique('g');
  await createTopic(topic, 2);
  await fill(topic, 50);
  let member = await consume(topic, group);
  await member.received(50);
  await member.stop();
  await order('crash');
  await fill(topic, 50, 50);
  member = await consume(topic, group);
  await member.received(50);
  await member.stop();
  assert.deepEqual(
    member.messages.map((m) => Number(m.value)).sort((a, b) => a - b),
    Array.from({ length: 50 }, (_, i) => 50 + i),
  );
});

test('offsets committed by hand are where the group starts; seek, pause and resume move within it', async () => {
  const topic = unique('manual');
  const groupId = unique('g');
  await createTopic(topic);
  await fill(topic, 20);
  const got = [];
  const consumer = kafka.consumer({ groupId, sessionTimeout: 10000, heartbeatInterval: 500, maxWaitTimeInMs: 200 });
  const stop = opened(() => consumer.disconnect());
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ message }) => void got.push(Number(message.offset)),
  });
  await eventually(() => got.length === 20, 'all of them');
  await consumer.commitOffsets([{ topic, partition: 0, offset: '7', metadata: 'seven' }]);
  consumer.seek({ topic, partition: 0, offset: '15' });
  await eventually(() => got.length === 25, 'five again');
  assert.deepEqual(got.slice(20), [15, 16, 17, 18, 19]);
  consumer.pause([{ topic }]);
  await fill(topic, 1);
  consumer.resume([{ topic }]);
  await eventually(() => got.length === 26, 'the last one');
  await stop();

  const offsets = await withAdmin((admin) => admin.fetchOffsets({ groupId, topics: [topic] }));
  assert.equal(offsets[0].partitions[0].offset, '7');
  assert.equal(offsets[0].partitions[0].metadata, 'seven');
  const again = await consume(topic, groupId);
  await again.received(14);
  assert.equal(again.messages[0].offset, '7');
  await again.stop();
});

test('a batch is handed over whole, with the high watermark', async () => {
  const topic = unique('batch');
  await createTopic(topic);
  await fill(topic, 100);
  const batches = [];
  const member = await consume(topic, unique('g'), {}, {
    eachMessage: undefined,
    eachBatch: async ({ batch }) => void batches.push(batch),
  });
  await eventually(() => batches.reduce((sum, b) => sum + b.messages.length, 0) === 100, '100 in batches');
  assert.equal(batches[0].highWatermark, '100');
  assert.equal(batches[0].firstOffset(), '0');
  await member.stop();
});
