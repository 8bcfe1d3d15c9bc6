// Braid, Apache-2.0.
//
// MQTT.js as the tests use it: clients that are ended when their test ends, and that keep what they received.
'use strict';
const mqtt = require('mqtt');
const { host, port, unique, eventually, opened } = require('support');

const url = `mqtt://${host}:${port('MQTT')}`;

const versions = {
  '3.1': { protocolId: 'MQIsdp', protocolVersion: 3 },
  '3.1.1': { protocolId: 'MQTT', protocolVersion: 4 },
  '5.0': { protocolId: 'MQTT', protocolVersion: 5 },
};

/** Connects; `received` has {topic, payload, packet}, `connack` the first CONNACK. */
async function connect(options = {}) {
  const client = mqtt.connect(options.url ?? url, {
    clientId: unique('js'),
    protocolVersion: 5,
    reconnectPeriod: 0,
    ...options,
  });
  opened(() => new Promise((resolve) => client.end(true, {}, resolve)));
  client.received = [];
  client.on('message', (topic, payload, packet) => client.received.push({ topic, payload, packet }));
  client.on('error', (error) => (client.failure = error));
  client.on('disconnect', (packet) => (client.disconnectPacket = packet));
  client.on('connect', (packet) => (client.connack ??= packet));
  await eventually(() => client.connected || client.failure || client.disconnected, 'CONNACK or an error');
  client.payloads = () => client.received.map((m) => m.payload.toString());
  client.wait = (count) =>
    eventually(() => client.received.length >= count, `${count} messages, there are ${client.received.length}`);
  return client;
}

/** An end of the connection without DISCONNECT, as when the network goes. */
function cut(client) {
  return new Promise((resolve) => {
    client.once('close', resolve);
    client.stream.destroy();
  });
}

module.exports = { mqtt, url, versions, connect, cut };
