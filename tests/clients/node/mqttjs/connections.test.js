// Braid, Apache-2.0.
'use strict';
const assert = require('node:assert/strict');
const { test, opened, unique, eventually, order } = require('support');
const { connect, cut, mqtt, url } = require('./client');

test('a will is published when the connection is cut, and not after DISCONNECT', async () => {
  const topic = unique('will');
  const watcher = await connect();
  await watcher.subscribeAsync(`${topic}/#`, { qos: 1 });
  const will = (name) => ({
    topic: `${topic}/${name}`,
    payload: 'gone',
    qos: 1,
    retain: true,
    properties: { contentType: 'text/plain', userProperties: { why: 'cut' } },
  });
  const polite = await connect({ will: will('polite') });
  await polite.endAsync();
  await cut(await connect({ will: will('cut') }));
  await watcher.wait(1);
  assert.equal(watcher.received[0].topic, `${topic}/cut`);
  assert.equal(watcher.received[0].packet.properties.contentType, 'text/plain');
  assert.deepEqual({ ...watcher.received[0].packet.properties.userProperties }, { why: 'cut' });
});

test('a second connection takes the client identifier over; the first is told why', async () => {
  const clientId = unique('s');
  const first = await connect({ clientId });
  const second = await connect({ clientId });
  await eventually(() => first.disconnectPacket, 'DISCONNECT to the first');
  assert.equal(first.disconnectPacket.reasonCode, 0x8e);
  assert.ok(second.connected);
});

test('a client without an identifier is given one', async () => {
  const client = await connect({ clientId: '' });
  assert.ok(client.connack.properties.assignedClientIdentifier.length > 0);
});

test('a silent client is dropped after one and a half keep alive times; one that pings is not', async () => {
  const silent = await connect({ keepalive: 1, reschedulePings: false });
  silent.keepaliveManager?.destroy();
  const pinging = await connect({ keepalive: 1 });
  const topic = unique('ping');
  await pinging.subscribeAsync(topic);
  const started = Date.now();
  await eventually(() => !silent.connected, 'the silent one is dropped');
  assert.ok(Date.now() - started >= 1000);
  assert.ok(pinging.connected);
});

test('a client that reconnects by itself goes on after the broker was killed and started again', async () => {
  const topic = unique('reconnect');
  const client = mqtt.connect(url, { clientId: unique('s'), protocolVersion: 5, reconnectPeriod: 100, clean: true });
  opened(() => new Promise((resolve) => client.end(true, {}, resolve)));
  const payloads = [];
  client.on('message', (_, payload) => payloads.push(payload.toString()));
  client.on('error', () => {});
  await eventually(() => client.connected, 'connected');
  await client.subscribeAsync(topic, { qos: 1 });
  await client.publishAsync(topic, 'before', { qos: 1 });
  await eventually(() => payloads.length === 1, 'the first message');
  await order('crash');
  // What is published before MQTT.js has subscribed anew reaches nobody.
  await eventually(async () => {
    await client.publishAsync(topic, 'after', { qos: 1 });
    return payloads.includes('after');
  }, 'a message after the crash');
});
