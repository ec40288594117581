/** Fetches `files.js`. Its address comes from the template, which knows what static files are called. */
export async function lazyFiles(room) {
  if (!room.data.filesSrc) return;
  try {
    const features = Object.values(await import(room.data.filesSrc));
    if (!room.signal.aborted) for (const start of features) start(room);
  } catch (error) {
    // Better no button than one that does nothing.
    room.part("attach")?.remove();
    throw error;
  }
}
