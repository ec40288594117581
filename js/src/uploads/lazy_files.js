/** Load `files.js`. The URL comes from the template, because names of static files may be hashed. */
export async function lazyFiles(room) {
  if (!room.data.filesSrc) return;
  try {
    const features = Object.values(await import(room.data.filesSrc));
    if (!room.signal.aborted) for (const start of features) start(room);
  } catch (error) {
    // Remove the button, because it would not work.
    room.part("attach")?.remove();
    throw error;
  }
}
