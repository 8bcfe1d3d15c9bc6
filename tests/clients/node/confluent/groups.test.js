// Braid, Apache-2.0.
'use strict';
const assert = require('node:assert/strict');
const { test, unique, eventually } = require('support');
const { createTopic, produce, consume } = require('./client');

const numbers = (count, from = 0) =>
  Array.from({ length: count }, (_, i) => ({ partition: i % 4, value: Buffer.from(String(from + i)) }));
const sorted = (...lists) => lists.flat().map((m) => Number(m.value)).sort((a, b) => a - b);
const upTo = (count) => Array.from({ length: count }, (_, i) => i);

for (const strategy of ['range', 'roundrobin', 'cooperative-sticky'])
  test(`${strategy}: members that join and leave share the partitions, and nothing is lost`, async () => {
    const topic = unique('group');
    const group = unique('g');
    await createTopic(topic, 4);
    const config = { 'partition.assignment.strategy': strategy };
    const first = await consume(topic, group, config);
    await eventually(() => first.assignment().length === 4, 'the first member has all');
    await produce(topic, numbers(40));
    await first.received(40);
    const second = await consume(topic, group, config);
    await eventually(() => first.assignment().length === 2 && second.assignment().length === 2, 'two and two');
    await produce(topic, numbers(40, 40));
    await eventually(() => first.messages.length + second.messages.length >= 80, 'all 80');
    assert.ok(second.messages.length > 0);
    await first.stop();
    await eventually(() => second.assignment().length === 4, 'the second member has all');
    await produce(topic, numbers(40, 80));
    await eventually(() => first.messages.length + second.messages.length >= 120, 'all 120');
    await second.stop();
    assert.deepEqual(sorted(first.messages, second.messages), upTo(120));
  });

test('a static member that comes back has its partitions, without a rebalance of the others', async () => {
  const topic = unique('static');
  const group = unique('g');
  await createTopic(topic, 4);
  const member = (id) => consume(topic, group, { 'group.instance.id': id, 'session.timeout.ms': 30000 });
  const first = await member('one');
  let second = await member('two');
  await eventually(() => first.assignment().length === 2 && second.assignment().length === 2, 'two and two');
  const had = second.assignment();
  await second.stop();
  second = await member('two');
  await eventually(() => second.assignment().length === 2, 'its partitions again');
  assert.deepEqual(second.assignment(), had);
  await first.stop();
  await second.stop();
});
