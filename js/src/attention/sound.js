const NOTES_HZ = [660, 880];
const NOTE_SECONDS = 0.16;
const VOLUME = 0.12;
const WAIT_MS = 500;

let context;

/** Play two soft notes, unless the browser blocks audio because the user has not interacted with the page. */
export async function playSound() {
  try {
    context ??= new AudioContext();
    await Promise.race([context.resume(), new Promise((done) => setTimeout(done, WAIT_MS))]);
    if (context.state !== "running") return;
    NOTES_HZ.forEach((hertz, index) => play(hertz, context.currentTime + index * NOTE_SECONDS));
  } catch {
    // A failing sound is ignored.
  }
}

function play(hertz, start) {
  const [tone, volume] = [context.createOscillator(), context.createGain()];
  tone.frequency.value = hertz;
  volume.gain.setValueAtTime(0, start);
  volume.gain.linearRampToValueAtTime(VOLUME, start + 0.01);
  volume.gain.exponentialRampToValueAtTime(0.001, start + 2 * NOTE_SECONDS);
  tone.connect(volume).connect(context.destination);
  tone.start(start);
  tone.stop(start + 2 * NOTE_SECONDS);
}
