import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Transport } from "../src/core/transport.js";
import { FakeClock, fakeSockets, listen } from "./stage.js";

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
  sockets.latest.opens();
  return sockets.latest;
};
const welcome = { type: "welcome", ping_seconds: 10 };

test("It asks for roomchat.v1", () => {
  transport.start();
  assert.equal(sockets.latest.protocol, "roomchat.v1");
});

test("A frame is sent while the socket is open, and refused while it is not", () => {
  transport.start();
  assert.equal(transport.send({ type: "hello" }), false);
  sockets.latest.opens();
  assert.equal(transport.send({ type: "hello" }), true);
  assert.deepEqual(sockets.latest.sent, [{ type: "hello" }]);
});

test("What is no frame is passed over", () => {
  const heard = listen(transport, "frame");
  const socket = started();
  for (const noise of ["{", "null", "[]", "5", '{"type": 5}']) socket.says(noise);
  socket.says({ type: "left", room: "x" });
  assert.deepEqual(heard.map(([, { frame }]) => frame.type), ["left"]);
});

test("Waits double up to 30 s, and a draw decides how much of each is waited", () => {
  const waits = listen(transport, "lost");
  random = 1;
  transport.start();
  for (let attempt = 0; attempt < 9; attempt++) {
    sockets.latest.closes();
    clock.advance(waits.at(-1)[1].retryIn);
  }
  assert.deepEqual(waits.map(([, { retryIn }]) => retryIn), [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
  assert.equal(sockets.made.length, 10);
});

test("A draw of nothing means to try at once", () => {
  random = 0;
  transport.start();
  sockets.latest.closes();
  clock.advance(0);
  assert.equal(sockets.made.length, 2);
});

test("A socket that lived a while makes the next wait short again", () => {
  const waits = listen(transport, "lost");
  random = 1;
  transport.start();
  for (let attempt = 0; attempt < 4; attempt++) {
    sockets.latest.closes();
    clock.advance(30_000);
  }
  sockets.latest.opens();
  clock.advance(5_000);
  sockets.latest.closes();
  assert.equal(waits.at(-1)[1].retryIn, 500);
});

test("A socket that opens and breaks at once does not", () => {
  const waits = listen(transport, "lost");
  random = 1;
  started().closes();
  clock.advance(500);
  sockets.latest.opens();
  sockets.latest.closes();
  assert.deepEqual(waits.map(([, { retryIn }]) => retryIn), [500, 1000]);
});

test("The server may say when to come back", () => {
  const waits = listen(transport, "lost");
  const socket = started();
  socket.says({ type: "bye", code: 4012, reason: "restart", retry_after: 1.7 });
  socket.closes(1006);
  assert.deepEqual(waits, [["lost", { code: 4012, reason: "restart", retryIn: 1700 }]]);
});

for (const code of [4001, 4003, 4004, 4400, 4409]) {
  test(`After ${code} it does not come back by itself`, () => {
    const heard = listen(transport, "lost", "ended");
    started().closes(code, "over");
    clock.advance(1_000_000);
    assert.deepEqual(heard, [["ended", { code, reason: "over" }]]);
    assert.equal(sockets.made.length, 1);
  });
}

test("A close whose code got lost on the way means what the bye before it said", () => {
  const heard = listen(transport, "ended");
  const socket = started();
  socket.says({ type: "bye", code: 4001, reason: "session ended" });
  socket.closes(1006);
  assert.equal(heard[0][1].code, 4001);
});

test("A socket that does not open in 10 s is given up", () => {
  transport.start();
  clock.advance(10_000);
  assert.equal(sockets.made[0].closed, true);
  clock.advance(500);
  assert.equal(sockets.made.length, 2);
});

test("Who has said nothing for a while sends a ping", () => {
  const socket = started();
  socket.says(welcome);
  clock.advance(9_999);
  assert.deepEqual(socket.sent, []);
  clock.advance(1);
  assert.deepEqual(socket.sent, [{ type: "ping" }]);
});

test("A line on which nothing is heard for ping_seconds and 10 s more is dead", () => {
  const heard = listen(transport, "lost");
  const socket = started();
  socket.says(welcome);
  clock.advance(19_999);
  assert.deepEqual(heard, []);
  clock.advance(1);
  assert.equal(heard[0][1].reason, "silence");
  assert.equal(socket.closed, true);
});

test("Whatever is heard keeps the line alive", () => {
  const socket = started();
  socket.says(welcome);
  for (let second = 0; second < 120; second += 15) {
    clock.advance(15_000);
    socket.says({ type: "ping", heads: {} });
  }
  assert.equal(sockets.made.length, 1);
});

test("After a long sleep it knows that the line is dead", () => {
  started().says(welcome);
  clock.sleep(8 * 60 * 60 * 1000);
  clock.advance(500);
  assert.equal(sockets.made.length, 2);
});

test("On waking it asks, and leaves a line that does not answer", () => {
  const socket = started();
  signals.dispatchEvent(new Event("wake"));
  assert.deepEqual(socket.sent, [{ type: "ping" }]);
  clock.advance(5_000);
  assert.equal(socket.closed, true);
});

test("On waking it stays on a line that answers", () => {
  const socket = started();
  signals.dispatchEvent(new Event("wake"));
  socket.says({ type: "ping", heads: {} });
  clock.advance(5_000);
  assert.equal(socket.closed, false);
});

test("On waking it does not wait any longer", () => {
  random = 1;
  transport.start();
  sockets.latest.closes();
  signals.dispatchEvent(new Event("wake"));
  assert.equal(sockets.made.length, 2);
  clock.advance(500);
  assert.equal(sockets.made.length, 2);
});

test("A page that goes to sleep closes its socket, and opens another when it wakes", () => {
  const socket = started();
  signals.dispatchEvent(new Event("sleep"));
  assert.equal(socket.closed, true);
  clock.advance(60_000);
  assert.equal(sockets.made.length, 1);
  signals.dispatchEvent(new Event("wake"));
  assert.equal(sockets.made.length, 2);
});

test("An abandoned socket is not listened to any more", () => {
  const heard = listen(transport, "frame");
  const old = started();
  transport.restart();
  sockets.latest.opens();
  old.says({ type: "ping", heads: {} });
  old.closes();
  assert.deepEqual(heard, []);
  assert.equal(transport.state, "open");
});

test("A clock that is set back does not silence the heartbeat", () => {
  const socket = started();
  socket.says(welcome);
  clock.sleep(-3_600_000);
  clock.advance(3_600_000 + 20_000);
  assert.ok(socket.sentOf("ping").length > 0);
});

test("Stopped is stopped", () => {
  const socket = started();
  transport.stop();
  clock.advance(1_000_000);
  signals.dispatchEvent(new Event("wake"));
  assert.equal(socket.closed, true);
  assert.equal(sockets.made.length, 1);
});

// Where sockets do not open

const standIns = () => {
  const made = [];
  const { WebSocket } = sockets;
  const fallback = () => {
    const standIn = { sent: [], closed: false, send: (text) => standIn.sent.push(JSON.parse(text)), close: () => (standIn.closed = true) };
    made.push(standIn);
    return standIn;
  };
  transport = new Transport({ url: () => "ws://test/", fallback, WebSocket, clock, signals, random: () => 0 });
  return made;
};
const failTimes = (count) => {
  for (let attempt = 0; attempt < count; attempt++) {
    sockets.latest.closes();
    clock.advance(0);
  }
};

test("After three sockets that did not open it falls back", () => {
  const made = standIns();
  transport.start();
  failTimes(2);
  assert.equal(made.length, 0);
  failTimes(1);
  assert.deepEqual([made.length, sockets.made.length], [1, 3]);
  made[0].onopen();
  transport.send({ type: "hello" });
  assert.deepEqual([made[0].sent, transport.state], [[{ type: "hello" }], "open"]);
});

test("Sockets that opened once in between do not count", () => {
  const made = standIns();
  transport.start();
  failTimes(2);
  sockets.latest.opens();
  failTimes(1);
  failTimes(2);
  assert.equal(made.length, 0);
});

test("Where the other way does not open either, they take turns", () => {
  const made = standIns();
  transport.start();
  failTimes(3);
  made[0].onclose({ code: 1006, reason: "" });
  clock.advance(0);
  assert.deepEqual([made.length, sockets.made.length], [1, 4]);
  failTimes(1);
  assert.equal(made.length, 2);
});

test("It tries every five minutes whether sockets pass, and goes back to them when they do", () => {
  const made = standIns();
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
  sockets.latest.closes();
  keepAlive(5);
  sockets.latest.opens();
  assert.deepEqual([sockets.made.length, made[0].closed, sockets.made[4].closed], [6, true, true]);
  assert.equal(lost.at(-1)[1].retryIn, 0);
  sockets.latest.opens();
  assert.deepEqual([transport.state, made.length], ["open", 1]);
});

test("Who has stopped tries no socket", () => {
  const made = standIns();
  transport.start();
  failTimes(3);
  made[0].onopen();
  transport.stop();
  clock.advance(1_000_000);
  assert.equal(sockets.made.length, 3);
});

test("Without another way it goes on trying sockets", () => {
  random = 0;
  transport.start();
  failTimes(9);
  assert.equal(sockets.made.length, 10);
});
