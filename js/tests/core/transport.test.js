import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Transport } from "../../src/core/transport.js";
import { FakeClock, fakeSockets, listen } from "../fakes.js";

let clock, sockets, signals, transport, random;

beforeEach(() => {
  clock = new FakeClock();
  sockets = fakeSockets();
  signals = new EventTarget();
  random = 0.5;
  const { WebSocket } = sockets;
  transport = new Transport({ url: () => "ws://test/", WebSocket, clock, signals, random: () => random });
});

const started = () => {
  transport.start();
  sockets.latest.emitOpen();
  return sockets.latest;
};
const welcome = { type: "welcome", ping_seconds: 10 };

test("The socket uses the subprotocol roomchat.v1", () => {
  transport.start();
  assert.equal(sockets.latest.protocol, "roomchat.v1");
});

test("A frame is sent only while the socket is open", () => {
  transport.start();
  assert.equal(transport.send({ type: "hello" }), false);
  sockets.latest.emitOpen();
  assert.equal(transport.send({ type: "hello" }), true);
  assert.deepEqual(sockets.latest.sent, [{ type: "hello" }]);
});

test("Data that is not a frame is ignored", () => {
  const received = listen(transport, "frame");
  const socket = started();
  for (const noise of ["{", "null", "[]", "5", '{"type": 5}']) socket.emitFrame(noise);
  socket.emitFrame({ type: "left", room: "x" });
  assert.deepEqual(received.map(([, { frame }]) => frame.type), ["left"]);
});

test("The limit of the delay doubles up to 30 s, and the delay is a random part of it", () => {
  const waits = listen(transport, "lost");
  random = 1;
  transport.start();
  for (let attempt = 0; attempt < 9; attempt++) {
    sockets.latest.emitClose();
    clock.advance(waits.at(-1)[1].retryIn);
  }
  assert.deepEqual(waits.map(([, { retryIn }]) => retryIn), [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
  assert.equal(sockets.made.length, 10);
});

test("A random value of 0 reconnects immediately", () => {
  random = 0;
  transport.start();
  sockets.latest.emitClose();
  clock.advance(0);
  assert.equal(sockets.made.length, 2);
});

test("A socket that was open for 5 s resets the back-off", () => {
  const waits = listen(transport, "lost");
  random = 1;
  transport.start();
  for (let attempt = 0; attempt < 4; attempt++) {
    sockets.latest.emitClose();
    clock.advance(30_000);
  }
  sockets.latest.emitOpen();
  clock.advance(5_000);
  sockets.latest.emitClose();
  assert.equal(waits.at(-1)[1].retryIn, 500);
});

test("A socket that closes soon after opening does not reset the back-off", () => {
  const waits = listen(transport, "lost");
  random = 1;
  started().emitClose();
  clock.advance(500);
  sockets.latest.emitOpen();
  sockets.latest.emitClose();
  assert.deepEqual(waits.map(([, { retryIn }]) => retryIn), [500, 1000]);
});

test("The frame bye can set the delay", () => {
  const waits = listen(transport, "lost");
  const socket = started();
  socket.emitFrame({ type: "bye", code: 4012, reason: "restart", retry_after: 1.7 });
  socket.emitClose(1006);
  assert.deepEqual(waits, [["lost", { code: 4012, reason: "restart", retryIn: 1700 }]]);
});

for (const code of [4001, 4003, 4004]) {
  test(`After ${code} the transport does not reconnect`, () => {
    const received = listen(transport, "lost", "ended");
    started().emitClose(code, "over");
    clock.advance(1_000_000);
    assert.deepEqual(received, [["ended", { code, reason: "over" }]]);
    assert.equal(sockets.made.length, 1);
  });
}

test("The code of bye replaces a lost close code", () => {
  const received = listen(transport, "ended");
  const socket = started();
  socket.emitFrame({ type: "bye", code: 4001, reason: "session ended" });
  socket.emitClose(1006);
  assert.equal(received[0][1].code, 4001);
});

test("A socket that does not open within 10 s is closed", () => {
  transport.start();
  clock.advance(10_000);
  assert.equal(sockets.made[0].closed, true);
  clock.advance(500);
  assert.equal(sockets.made.length, 2);
});

test("A ping is sent after ping_seconds without another frame", () => {
  const socket = started();
  socket.emitFrame(welcome);
  clock.advance(9_999);
  assert.deepEqual(socket.sent, []);
  clock.advance(1);
  assert.deepEqual(socket.sent, [{ type: "ping" }]);
});

test("A socket without received frames for ping_seconds and 10 s is closed", () => {
  const received = listen(transport, "lost");
  const socket = started();
  socket.emitFrame(welcome);
  clock.advance(19_999);
  assert.deepEqual(received, []);
  clock.advance(1);
  assert.equal(received[0][1].reason, "silence");
  assert.equal(socket.closed, true);
});

test("Any received frame keeps the socket open", () => {
  const socket = started();
  socket.emitFrame(welcome);
  for (let second = 0; second < 120; second += 15) {
    clock.advance(15_000);
    socket.emitFrame({ type: "ping", heads: {} });
  }
  assert.equal(sockets.made.length, 1);
});

test("After a long suspension the transport reconnects", () => {
  started().emitFrame(welcome);
  clock.sleep(8 * 60 * 60 * 1000);
  clock.advance(500);
  assert.equal(sockets.made.length, 2);
});

test("On wake the transport pings, and closes a socket that does not answer", () => {
  const socket = started();
  signals.dispatchEvent(new Event("wake"));
  assert.deepEqual(socket.sent, [{ type: "ping" }]);
  clock.advance(5_000);
  assert.equal(socket.closed, true);
});

test("On wake the transport keeps a socket that answers", () => {
  const socket = started();
  signals.dispatchEvent(new Event("wake"));
  socket.emitFrame({ type: "ping", heads: {} });
  clock.advance(5_000);
  assert.equal(socket.closed, false);
});

test("When the system reports that it is offline, a socket that does not answer is lost after 1.5 s", () => {
  const lost = listen(transport, "lost");
  const socket = started();
  signals.dispatchEvent(new Event("doubt"));
  assert.deepEqual(socket.sentOf("ping"), [{ type: "ping" }]);
  clock.advance(1_499);
  assert.equal(lost.length, 0);
  clock.advance(1);
  assert.equal(lost[0][1].reason, "silence");
});

test("When the system reports that it is offline, a socket that answers is kept", () => {
  const lost = listen(transport, "lost");
  const socket = started();
  signals.dispatchEvent(new Event("doubt"));
  socket.emitFrame({ type: "ping", heads: {} });
  clock.advance(5_000);
  assert.equal(lost.length, 0);
  assert.equal(transport.state, "open");
});

test("A transport without a socket does not doubt anything", () => {
  signals.dispatchEvent(new Event("doubt"));
  assert.equal(transport.state, "stopped");
  assert.equal(sockets.made.length, 0);
});

test("On wake a waiting transport connects immediately", () => {
  random = 1;
  transport.start();
  sockets.latest.emitClose();
  signals.dispatchEvent(new Event("wake"));
  assert.equal(sockets.made.length, 2);
  clock.advance(500);
  assert.equal(sockets.made.length, 2);
});

test("On sleep the transport closes the socket, and on wake it opens another", () => {
  const socket = started();
  signals.dispatchEvent(new Event("sleep"));
  assert.equal(socket.closed, true);
  clock.advance(60_000);
  assert.equal(sockets.made.length, 1);
  signals.dispatchEvent(new Event("wake"));
  assert.equal(sockets.made.length, 2);
});

test("Events of an abandoned socket are ignored", () => {
  const received = listen(transport, "frame");
  const old = started();
  transport.restart();
  sockets.latest.emitOpen();
  old.emitFrame({ type: "ping", heads: {} });
  old.emitClose();
  assert.deepEqual(received, []);
  assert.equal(transport.state, "open");
});

test("A clock that is set back does not stop the heartbeat", () => {
  const socket = started();
  socket.emitFrame(welcome);
  clock.sleep(-3_600_000);
  clock.advance(3_600_000 + 20_000);
  assert.ok(socket.sentOf("ping").length > 0);
});

test("A stopped transport does not reconnect", () => {
  const socket = started();
  transport.stop();
  clock.advance(1_000_000);
  signals.dispatchEvent(new Event("wake"));
  assert.equal(socket.closed, true);
  assert.equal(sockets.made.length, 1);
});

// Fallback

const fallbackSockets = () => {
  const made = [];
  const { WebSocket } = sockets;
  const fallback = () => {
    const fallbackSocket = { sent: [], closed: false, send: (text) => fallbackSocket.sent.push(JSON.parse(text)), close: () => (fallbackSocket.closed = true) };
    made.push(fallbackSocket);
    return fallbackSocket;
  };
  transport = new Transport({ url: () => "ws://test/", fallback, WebSocket, clock, signals, random: () => 0 });
  return made;
};
const failTimes = (count) => {
  for (let attempt = 0; attempt < count; attempt++) {
    sockets.latest.emitClose();
    clock.advance(0);
  }
};

test("The fallback is used after three sockets that did not open", () => {
  const made = fallbackSockets();
  transport.start();
  failTimes(2);
  assert.equal(made.length, 0);
  failTimes(1);
  assert.deepEqual([made.length, sockets.made.length], [1, 3]);
  made[0].onopen();
  transport.send({ type: "hello" });
  assert.deepEqual([made[0].sent, transport.state], [[{ type: "hello" }], "open"]);
});

test("A socket that opens resets the count of failed attempts", () => {
  const made = fallbackSockets();
  transport.start();
  failTimes(2);
  sockets.latest.emitOpen();
  failTimes(1);
  failTimes(2);
  assert.equal(made.length, 0);
});

test("If the fallback does not open, the next attempt is a WebSocket", () => {
  const made = fallbackSockets();
  transport.start();
  failTimes(3);
  made[0].onclose({ code: 1006, reason: "" });
  clock.advance(0);
  assert.deepEqual([made.length, sockets.made.length], [1, 4]);
  failTimes(1);
  assert.equal(made.length, 2);
});

test("The transport tries a WebSocket every five minutes, and returns to WebSockets when one opens", () => {
  const made = fallbackSockets();
  const lost = listen(transport, "lost");
  transport.start();
  failTimes(3);
  made[0].onopen();
  const keepAlive = (minutes) => {
    for (let half = 0; half < 2 * minutes; half++) {
      made[0].onmessage({ data: '{"type":"ping"}' });
      clock.advance(30_000);
    }
  };
  keepAlive(5);
  assert.deepEqual([sockets.made.length, made[0].closed], [4, false]);
  sockets.latest.emitClose();
  keepAlive(5);
  sockets.latest.emitOpen();
  assert.deepEqual([sockets.made.length, made[0].closed, sockets.made[4].closed], [6, true, true]);
  assert.equal(lost.at(-1)[1].retryIn, 0);
  sockets.latest.emitOpen();
  assert.deepEqual([transport.state, made.length], ["open", 1]);
});

test("A stopped transport tries no WebSocket", () => {
  const made = fallbackSockets();
  transport.start();
  failTimes(3);
  made[0].onopen();
  transport.stop();
  clock.advance(1_000_000);
  assert.equal(sockets.made.length, 3);
});

test("Without a fallback the transport keeps trying WebSockets", () => {
  random = 0;
  transport.start();
  failTimes(9);
  assert.equal(sockets.made.length, 10);
});
