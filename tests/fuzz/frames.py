"""A generator of frames: right ones, right ones with something wrong in them, and noise."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any

TYPES = (
    "hello",
    "join",
    "leave",
    "post",
    "edit",
    "delete",
    "seen",
    "ping",
    "nope",
    "",
    "websocket.disconnect",
    "welcome",
)
FIELDS = (
    "type",
    "room",
    "epoch",
    "since",
    "id",
    "body",
    "reply_to",
    "seq",
    "heads",
    "kind",
    "__proto__",
    "x",
    "message",
)
TEXTS = (
    "",
    "lobby",
    "한국어",
    "a\u0000b",
    "\ud800",
    "\udfff\ud83d",
    "\u202e\u2066",
    "a" + "\u0301" * 40,
    "\ufdfa" * 50,
    "x" * 300,
    "\x1b[31m",
    "\x7f\x9f",
    "\ufffe\uffff",
    "../..",
    "%s%n{0}",
    "<script>",
    "🎉" * 30,
    "\u200d" * 9,
    "7b1e7f0e-5a39-4f0e-9a0a-6f9f6c6d1c11",
)
NUMBERS = (
    0,
    1,
    -1,
    5,
    2**31,
    2**53 - 1,
    2**53,
    2**63,
    2**64,
    -(2**63),
    10**30,
    0.5,
    1e308,
    -0.0,
    float("nan"),
    float("inf"),
)
TOKENS = (
    *'{}[]:,"\\',
    "null",
    "true",
    "NaN",
    "1e999",
    "\\u0000",
    "\\ud83d",
    "\\u",
    "\ufeff",
    " ",
    "\n",
    "-",
    "0",
    '"type"',
    '"ping"',
)


SHAPES = {
    "hello": (),
    "join": ("room", "epoch", "since"),
    "leave": ("room",),
    "post": ("id", "body", "room", "reply_to"),
    "edit": ("seq", "body", "room", "id"),
    "delete": ("seq", "room", "id"),
    "seen": ("heads",),
    "ping": (),
}
GOOD = {
    "room": ("lobby", "lobby", "Lobby ", "한국어", "no such room"),
    "epoch": ("", "7b1e7f0e-5a39-4f0e-9a0a-6f9f6c6d1c11", "x"),
    "since": (None, 0, 1, 5, 10**6),
    "body": ("hi", "né 🎉", "two\nlines", "x" * 300, "\u202eabc"),
    "reply_to": (None, None, 1, 2, 10**9),
    "seq": (1, 2, 3, 5, 8, 10**9),
    "heads": ({}, {"lobby": 0}, {"lobby": 10**6, "x": 1}),
}


class Frames:
    """An endless stream. Most of it is nearly right, which is where decoders err."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def __iter__(self) -> Iterator[str | bytes]:
        while True:
            yield self.make()

    def make(self) -> str | bytes:
        chance = self.random.random()
        if chance < 0.2:
            return self._written(self._right())
        if chance < 0.25:
            return self._written({"message": self._pick(GOOD["body"]), "x": self._value()})
        if chance < 0.35:
            return self._mutated(self._written(self._right()))
        if chance < 0.55:
            return self._written(self._frame())
        if chance < 0.75:
            return self._mutated(self._written(self._frame()))
        if chance < 0.87:
            return "".join(self._pick(TOKENS) for _ in range(self.random.randrange(40)))
        if chance < 0.94:
            return "".join(
                chr(self.random.choice((32, 128, 0x2100, 0xD7FF, 0x10FFFF)) - self.random.randrange(30))
                for _ in range(20)
            )
        if chance < 0.97:
            return self._pick(("[", '{"a":', '{"type":"ping","x":[')) * self.random.choice(
                (3, 300, 3_000, 30_000)
            )
        return self.random.randbytes(self.random.randrange(30))

    def _pick(self, things: Any) -> Any:
        return things[int(self.random.random() * len(things))]

    def _right(self) -> dict[str, Any]:
        type_ = self._pick(list(SHAPES))
        frame: dict[str, Any] = {"type": type_}
        for field in SHAPES[type_]:
            frame[field] = (
                f"f{int(self.random.random() * 10**6)}" if field == "id" else self._pick(GOOD[field])
            )
        return frame

    def _frame(self) -> dict[str, Any]:
        frame: dict[str, Any] = {"type": self._pick(TYPES)}
        for _ in range(self.random.randrange(6)):
            frame[self._pick(FIELDS)] = self._value()
        if self.random.random() < 0.3:
            frame |= {"type": "post", "id": f"f{self.random.random()}", "body": self._value()}
        return frame

    def _value(self, depth: int = 0) -> Any:
        chance = self.random.random()
        if chance < 0.5:
            return self._pick(TEXTS)
        if chance < 0.8:
            return self._pick(NUMBERS)
        if chance < 0.9 or depth > 3:
            return self._pick((None, True, False))
        if chance < 0.95:
            return [self._value(depth + 1) for _ in range(self.random.randrange(4))]
        return {self._pick(FIELDS): self._value(depth + 1) for _ in range(self.random.randrange(4))}

    def _written(self, frame: dict[str, Any]) -> str:
        return json.dumps(frame, ensure_ascii=self.random.random() < 0.5)

    def _mutated(self, text: str) -> str:
        for _ in range(self.random.randrange(1, 4)):
            at = int(self.random.random() * (len(text) + 1))
            match int(self.random.random() * 5):
                case 0:
                    text = text[:at] + text[at + 1 :]
                case 1:
                    text = text[:at] + self._pick(TOKENS) + text[at:]
                case 2:
                    text = text[:at]
                case 3:
                    text = text[:at] + text[at:][::-1]
                case _:
                    text = text[:at] + text[max(0, at - 10) :]
        return text
