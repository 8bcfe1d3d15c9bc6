// Braid, Apache-2.0.
//
// MQTT over WebSocket, at the HTTP port.
'use strict';
const assert = require('node:assert/strict');
const { randomBytes } = require('node:crypto');
const { test, host, port, unique } = require('support');
const { connect, cut, versions } = require('./client');

const url = `ws://${host}:${port('HTTP')}/mqtt`;

for (const [name, version] of Object.entries(versions))
  test(`MQTT ${name} over WebSocket: messages of every size and QoS arrive, also at clients over TCP`, async () => {
    const topic = unique('ws');
    const overTcp = await connect(version);
    const overWebSocket = await connect({ ...version, url });
    for (const client of [overTcp, overWebSocket]) await client.subscribeAsync(topic, { qos: 2 });
    const payloads = [Buffer.alloc(0), randomBytes(100), randomBytes(70000), randomBytes(1000000)];
    const publisher = await connect({ ...version, url });
    for (const qos of [0, 1, 2]) for (const payload of payloads) await publisher.publishAsync(topic, payload, { qos });
    for (const client of [overTcp, overWebSocket]) {
      await client.wait(12);
      client.received.forEach(({ payload }, i) => assert.ok(payload.equals(payloads[i % 4]), `message ${i}`));
    }
  });

test('a will is published when a WebSocket connection is cut', async () => {
  const topic = unique('ws-will');
  const watcher = await connect({ url });
  await watcher.subscribeAsync(topic, { qos: 1 });
  await cut(await connect({ url, will: { topic, payload: 'gone', qos: 1 } }));
  await watcher.wait(1);
  assert.deepEqual(watcher.payloads(), ['gone']);
});
