#!/usr/bin/env bash
# sockette: does not reconnect after 1001, which its README lists among the codes that lead to a reconnection.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat <<'TEXT'
Software: npm sockette 2.0.6, against a server of npm ws 8.23.0
Expectation: the README says that a reconnection is queued if the code of the close event is not 1000 or 1005.
  After 1001 ("going away", RFC 6455 7.4.1: a server that goes down), 1012 and 4003 sockette therefore connects again.
TEXT

cd "$work"
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" sockette@2.0.6 ws@8.23.0
cat > probe.cjs <<'JS'
const assert = require("node:assert");
const WebSocket = require("ws");
const Sockette = require("sockette");

globalThis.WebSocket = WebSocket;
const CODES = [1000, 1001, 1011, 1012, 4003];
const connections = Object.fromEntries(CODES.map((code) => [code, 0]));
const server = new WebSocket.Server({ host: "127.0.0.1", port: 0 });
server.on("connection", (socket, request) => {
  const code = Number(request.url.slice(1));
  connections[code] += 1;
  socket.close(code);
});

server.on("listening", async () => {
  const url = `ws://127.0.0.1:${server.address().port}`;
  const attempts = CODES.map(
    (code) =>
      new Promise((resolve) => {
        let closed = 0;
        const client = new Sockette(`${url}/${code}`, {
          timeout: 50,
          onclose: () => {
            closed += 1;
            if (closed === 3) resolve(client.close());
          },
        });
        setTimeout(resolve, 5000);
      }),
  );
  await Promise.all(attempts);
  for (const code of CODES) console.log(`Seen: close ${code}: ${connections[code] > 1 ? "reconnects" : "never reconnects"}`);
  const again = CODES.filter((code) => connections[code] > 1);
  assert.deepStrictEqual(again, [1011, 1012, 4003]);
  process.exit(0);
});
JS
timeout 30 node probe.cjs

cat <<'TEXT'
Consequence: a page on sockette stays silent after a restart that the server announces with 1001, and asks again for ever
  after a refusal (4003). A chat server has to announce a restart with 1012 or a code of its own, and a page on sockette
  that gets 1001 must call reconnect() itself.
TEXT
