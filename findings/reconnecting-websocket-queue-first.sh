#!/usr/bin/env bash
# reconnecting-websocket and partysocket: queued messages are sent before the open event.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat <<'TEXT'
Software: npm reconnecting-websocket 4.4.0, npm partysocket 1.3.0, npm ws 8.23.0
Expectation: both promise the interface of WebSocket, and to send messages of an outage "on open". A page whose open
  handler sends "join" therefore sends "join" first on each connection, then what was queued.
TEXT

cd "$work"
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" \
    reconnecting-websocket@4.4.0 partysocket@1.3.0 ws@8.23.0
cat > probe.cjs <<'JS'
const assert = require("node:assert");
const WebSocket = require("ws");

const server = new WebSocket.Server({ host: "127.0.0.1", port: 0 });
let connections = [];
server.on("connection", (socket) => {
  const received = [];
  connections.push({ socket, received });
  socket.on("message", (data) => received.push(String(data)));
});

const until = async (condition) => {
  for (let tries = 0; !condition(); tries++) {
    if (tries === 500) throw new Error("not reached in 5 s");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

const perConnection = async (Client) => {
  connections = [];
  const options = { WebSocket, minReconnectionDelay: 500, maxReconnectionDelay: 500 };
  const client = new Client(`ws://127.0.0.1:${server.address().port}/`, [], options);
  client.onopen = () => client.send("join");
  await until(() => connections[0]?.received.length === 1);
  const lost = new Promise((resolve) => client.addEventListener("close", resolve, { once: true }));
  connections[0].socket.close(1012);
  await lost;
  client.send("post");
  await until(() => connections[1]?.received.length === 2);
  client.close();
  return connections.map(({ received }) => received);
};

server.on("listening", async () => {
  const seen = {
    "reconnecting-websocket": await perConnection(require("reconnecting-websocket")),
    partysocket: await perConnection(require("partysocket/ws").default),
  };
  for (const [name, received] of Object.entries(seen))
    console.log(`Seen: ${name}: first connection ${received[0].join(", ")}; second connection ${received[1].join(", ")}`);
  const expected = [["join"], ["post", "join"]];
  assert.deepStrictEqual(seen, { "reconnecting-websocket": expected, partysocket: expected });
  process.exit(0);
});
JS
timeout 30 node probe.cjs

cat <<'TEXT'
Consequence: after an outage the server gets a post before the greeting or the subscription that it belongs to. A server
  must refuse it in a way that lets the page send it again (or take the room from the URL), and pages that send a greeting
  must keep their own posts until the server has answered it.
TEXT
