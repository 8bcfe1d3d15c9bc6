// Braid, Apache-2.0.
//
// What the suites of all JavaScript clients share: where the broker is, how to wait, and how to have it restarted.
'use strict';
const { test: nodeTest } = require('node:test');
const net = require('node:net');
const { randomBytes } = require('node:crypto');

const host = process.env.BRAID_HOST;
const port = (name) => Number(process.env[`BRAID_${name}`]);

/** A name that no other test uses. */
const unique = (prefix) => `${prefix}-${randomBytes(4).toString('hex')}`;

/** Waits until `condition` gives something true, and returns it; throws after `timeoutMs`. */
async function eventually(condition, what = 'condition', timeoutMs = 40000) {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const open = new Set();

/** What has to be ended when the running test is over, however it ends; returns a function that ends it now. */
function opened(end) {
  const once = async () => {
    if (open.delete(once)) await end();
  };
  open.add(once);
  return once;
}

/** A test with a time limit, that leaves nothing open behind: an open client would keep the process alive. */
function test(name, body) {
  nodeTest(name, { timeout: 120000 }, async (t) => {
    try {
      await body(t);
    } finally {
      await Promise.allSettled([...open].map((end) => end()));
    }
  });
}

/** `restart` (in order) or `crash` (kill -9); the broker is ready again when this resolves. */
function order(what) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port('CONTROL'), host, () => socket.write(`${what}\n`));
    let answer = '';
    socket.on('data', (data) => (answer += data));
    socket.on('error', reject);
    socket.on('end', () => (answer.trim() === 'ok' ? resolve() : reject(new Error(answer))));
  });
}

module.exports = { test, opened, host, port, bootstrap: `${host}:${port('KAFKA')}`, unique, eventually, order };
