#!/usr/bin/env bash
# npm websocket: answers each close with 1000, and then takes every code but 1000 for an unclean close.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat <<'TEXT'
Software: npm websocket 1.0.35 (w3cwebsocket); for comparison npm ws 8.23.0, npm undici 7.30.2
Expectation: wasClean says whether the connection was closed cleanly. RFC 6455 (7.1.4) calls it clean when TCP was closed
  after the closing handshake, whatever the code: true for 1000, 1001 and 4003, false for a lost connection. The answer
  to a close frame typically echoes its code (5.5.1).
TEXT

cd "$work"
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" websocket@1.0.35 ws@8.23.0 undici@7.30.2
cat > probe.cjs <<'JS'
const assert = require("node:assert");
const WebSocket = require("ws");

const server = new WebSocket.Server({ host: "127.0.0.1", port: 0 });
const answered = [];
server.on("connection", (socket, request) => {
  if (request.url === "/broken") return socket.terminate();
  socket.on("close", (code) => answered.push(code));
  socket.close(Number(request.url.slice(1)));
});

const closed = (Client, path) =>
  new Promise((resolve) => {
    const socket = new Client(`ws://127.0.0.1:${server.address().port}/${path}`);
    socket.onerror = () => {};
    socket.onclose = (event) => resolve(`${event.code} ${event.wasClean}`);
  });

server.on("listening", async () => {
  const seen = {};
  const clients = { ws: WebSocket, undici: require("undici").WebSocket, websocket: require("websocket").w3cwebsocket };
  for (const [name, Client] of Object.entries(clients)) {
    seen[name] = [];
    for (const path of ["1000", "1001", "4003", "broken"]) seen[name].push(await closed(Client, path));
    console.log(`Seen: ${name}: code and wasClean after 1000, 1001, 4003, a lost connection: ${seen[name].join(", ")}`);
  }
  const clean = ["1000 true", "1001 true", "4003 true", "1006 false"];
  assert.deepStrictEqual(seen, {
    ws: clean,
    undici: clean,
    websocket: ["1000 true", "1001 false", "4003 false", "1006 false"],
  });
  await new Promise((resolve) => setTimeout(resolve, 500));
  console.log(`Seen: codes of the close frames that the clients answered with: ${answered.join(", ")}`);
  assert.deepStrictEqual(answered, [1000, 1001, 4003, 1000, 1001, 4003, 1000, 1000, 1000]);
  process.exit(0);
});
JS
timeout 30 node probe.cjs

cat <<'TEXT'
Consequence: code that reconnects "unless wasClean" does so after a refusal (4003) with this library, and not with others.
  Clients of a chat must decide by the code; and a server whose log shows the client's code reads 1000 after a refusal.
TEXT
