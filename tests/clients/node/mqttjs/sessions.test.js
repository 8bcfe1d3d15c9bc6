// Braid, Apache-2.0.
'use strict';
const assert = require('node:assert/strict');
const { test, unique, eventually } = require('support');
const { connect, cut, versions } = require('./client');

for (const name of ['3.1', '3.1.1'])
  test(`MQTT ${name}: a session that is not clean keeps subscriptions and messages while its client is away`, async () => {
    const options = { ...versions[name], clientId: unique('s'), clean: false };
    const topic = unique('offline');
    const first = await connect(options);
    assert.equal(first.connack.sessionPresent, false);
    await first.subscribeAsync(topic, { qos: 2 });
    await first.endAsync();
    const publisher = await connect(versions[name]);
    for (const qos of [1, 2]) await publisher.publishAsync(topic, `while away ${qos}`, { qos });
    const second = await connect(options);
    if (name !== '3.1') assert.equal(second.connack.sessionPresent, true);
    await second.wait(2);
    assert.deepEqual(second.payloads(), ['while away 1', 'while away 2']);
    await second.endAsync();
    const clean = await connect({ ...options, clean: true });
    assert.equal(clean.connack.sessionPresent, false);
  });

test('MQTT 5.0: a session lives as long as its expiry interval says', async () => {
  const clientId = unique('s');
  const topic = unique('expiring');
  const properties = { sessionExpiryInterval: 100 };
  const first = await connect({ clientId, clean: true, properties });
  await first.subscribeAsync(topic, { qos: 1 });
  await cut(first);
  const publisher = await connect();
  for (let i = 0; i < 50; ++i) await publisher.publishAsync(topic, String(i), { qos: 1 });
  const second = await connect({ clientId, clean: false, properties });
  assert.equal(second.connack.sessionPresent, true);
  await second.wait(50);
  assert.deepEqual(second.payloads(), Array.from({ length: 50 }, (_, i) => String(i)));
  await new Promise((resolve) => second.end(false, { properties: { sessionExpiryInterval: 0 } }, resolve));
  const third = await connect({ clientId, clean: false, properties });
  assert.equal(third.connack.sessionPresent, false);
});

test('what was not acknowledged comes again when the client comes back', async () => {
  const clientId = unique('s');
  const topic = unique('again');
  const options = { clientId, clean: false, properties: { sessionExpiryInterval: 100 } };
  const first = await connect(options);
  await first.subscribeAsync(topic, { qos: 1 });
  // MQTT.js acknowledges when this callback is called: never.
  first.handleMessage = () => {};
  const publisher = await connect();
  await publisher.publishAsync(topic, 'again', { qos: 1 });
  await first.wait(1);
  await cut(first);
  const second = await connect(options);
  await second.wait(1);
  assert.equal(second.received[0].payload.toString(), 'again');
  assert.equal(second.received[0].packet.dup, true);
});

test('a delayed will waits, and is dropped when its session is resumed in time', async () => {
  const topic = unique('delayed');
  const watcher = await connect();
  await watcher.subscribeAsync(`${topic}/#`, { qos: 1 });
  const options = (name, willDelayInterval) => ({
    clientId: `${topic}-${name}`,
    clean: false,
    properties: { sessionExpiryInterval: 100 },
    will: { topic: `${topic}/${name}`, payload: name, qos: 1, properties: { willDelayInterval } },
  });
  await cut(await connect(options('resumed', 1)));
  const resumed = await connect(options('resumed', 1));
  assert.equal(resumed.connack.sessionPresent, true);
  const started = Date.now();
  await cut(await connect(options('waits', 1)));
  await watcher.wait(1);
  assert.deepEqual(watcher.payloads(), ['waits']);
  assert.ok(Date.now() - started >= 1000);
});

test('a shared subscription gives each message to one member', async () => {
  const topic = unique('shared');
  const members = [];
  for (let i = 0; i < 3; ++i) {
    const member = await connect();
    await member.subscribeAsync(`$share/group/${topic}`, { qos: 1 });
    members.push(member);
  }
  const publisher = await connect();
  for (let i = 0; i < 90; ++i) await publisher.publishAsync(topic, String(i), { qos: 1 });
  const all = () => members.flatMap((m) => m.payloads());
  await eventually(() => all().length >= 90, 'all 90');
  assert.deepEqual(all().map(Number).sort((a, b) => a - b), Array.from({ length: 90 }, (_, i) => i));
  for (const member of members) assert.ok(member.received.length >= 10, `a member got ${member.received.length}`);
});

