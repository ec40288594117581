#!/usr/bin/env bash
# faye-websocket: a close with the registered code 1012 (service restart) is reported as 1002 (protocol error).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat <<'TEXT'
Software: npm faye-websocket 0.11.4, websocket-driver 0.7.4; for comparison npm ws 8.23.0
Expectation: the code of a close frame is what the client's close event reports. RFC 6455 (7.4.2) opens 1000 to 2999 to
  codes that are registered later, and the registry of IANA holds 1012 (service restart), 1013 and 1014.
TEXT

cd "$work"
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" \
    faye-websocket@0.11.4 websocket-driver@0.7.4 ws@8.23.0
cat > probe.cjs <<'JS'
const assert = require("node:assert");
const WebSocket = require("ws");
const Faye = require("faye-websocket").Client;

const server = new WebSocket.Server({ host: "127.0.0.1", port: 0 });
server.on("connection", (socket, request) => socket.close(Number(request.url.slice(1)), "restart"));

const code = (Client, sent) =>
  new Promise((resolve) => {
    new Client(`ws://127.0.0.1:${server.address().port}/${sent}`).onclose = (event) => resolve(event.code);
  });

server.on("listening", async () => {
  const seen = {};
  for (const sent of [1001, 1011, 1012, 1013, 1014, 4012]) {
    seen[sent] = [await code(WebSocket, sent), await code(Faye, sent)];
    console.log(`Seen: sent ${sent}, ws reports ${seen[sent][0]}, faye-websocket reports ${seen[sent][1]}`);
  }
  assert.deepStrictEqual(seen, {
    1001: [1001, 1001],
    1011: [1011, 1011],
    1012: [1012, 1002],
    1013: [1013, 1002],
    1014: [1014, 1002],
    4012: [4012, 4012],
  });
  process.exit(0);
});
JS
timeout 30 node probe.cjs

cat <<'TEXT'
Consequence: a client that reconnects after 1012 and not after 1002 stays disconnected after each restart. Where the
  clients' libraries are unknown, 1001 or a private code such as 4012 announces a restart more reliably.
TEXT
