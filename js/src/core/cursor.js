/**
 * The cursor rule as a pure function.
 *
 * A cursor is `{epoch, head}`: everything up to `head` in the log with the epoch `epoch` has been applied. A frame
 * with events states the range that it covers, `(prev, head]`, and the result is one of the following.
 */

export const IGNORE = "ignore"; // the events have been applied already
export const APPLY = "apply"; // the events continue the log
export const HOLE = "hole"; // events before them are missing: request them
export const FOREIGN = "foreign"; // the events belong to another log: join again with the client's position, and the server will answer with a reset
export const RESET = "reset"; // the server has reset the client: remove all messages and show these

export const NOTHING = Object.freeze({ epoch: "", head: 0 });

/** Compare `frame` (`joined` or `events`) with `cursor`. Returns the verdict, the new cursor and the events to show. */
export function receive(cursor, frame) {
  const { epoch, prev, head } = frame;
  if (frame.reset) return { verdict: RESET, cursor: { epoch, head }, events: frame.events };
  if (epoch !== cursor.epoch && cursor.head > 0) return { verdict: FOREIGN, cursor, events: [] };
  if (prev > cursor.head) return { verdict: HOLE, cursor, events: [] };
  if (head <= cursor.head) return { verdict: IGNORE, cursor: { epoch, head: cursor.head }, events: [] };
  const events = frame.events.filter((event) => event.rev > cursor.head);
  return { verdict: APPLY, cursor: { epoch, head }, events };
}
