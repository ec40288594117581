/**
 * The one rule every receiver keeps, as a pure function.
 *
 * A cursor is `{epoch, head}`: everything up to `head` of the log named `epoch` has been applied. A frame
 * with events says which range it covers, `(prev, head]`, and there are only these things to do with it.
 */

export const IGNORE = "ignore"; // seen it already
export const APPLY = "apply"; // it continues what we have
export const HOLE = "hole"; // something before it is missing: ask for it
export const FOREIGN = "foreign"; // it belongs to another log: ask with our own position, be told to start over
export const RESET = "reset"; // told to start over: throw away what we have and show this

export const NOTHING = Object.freeze({ epoch: "", head: 0 });

/** What to do with `frame` (`joined` or `events`) at `cursor`, the cursor afterwards, and the events to show. */
export function receive(cursor, frame) {
  const { epoch, prev, head } = frame;
  if (frame.reset) return { verdict: RESET, cursor: { epoch, head }, events: frame.events };
  if (epoch !== cursor.epoch && cursor.head > 0) return { verdict: FOREIGN, cursor, events: [] };
  if (prev > cursor.head) return { verdict: HOLE, cursor, events: [] };
  if (head <= cursor.head) return { verdict: IGNORE, cursor: { epoch, head: cursor.head }, events: [] };
  const events = frame.events.filter((event) => event.rev > cursor.head);
  return { verdict: APPLY, cursor: { epoch, head }, events };
}
