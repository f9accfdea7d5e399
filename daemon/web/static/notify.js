// Calling somebody who looks elsewhere: a sound and a notice of the desktop, where this browser was told to.

const TONES = [880, 660, 880];

let audio = null;

export const wishes = {
  get sound() { return localStorage.getItem('alarm-sound') === 'on'; },
  get desktop() { return localStorage.getItem('alarm-desktop') === 'on' && window.Notification?.permission === 'granted'; },
};

/** Turn the sound on or off; a browser lets a page sound only after a click, which this is. */
export function wishSound(on) {
  localStorage.setItem('alarm-sound', on ? 'on' : 'off');
  if (on) sound();
}

/** Turn notices of the desktop on or off; returns why it cannot be, or ''. */
export async function wishDesktop(on) {
  localStorage.setItem('alarm-desktop', on ? 'on' : 'off');
  if (!on) return '';
  if (!window.Notification) return 'this browser has none';
  const answer = await Notification.requestPermission();
  return answer === 'granted' ? '' : 'this browser does not allow it: see its settings for this page';
}

/** Call: of what is wrong. */
export function alert(words) {
  if (wishes.sound) sound();
  if (wishes.desktop) new Notification('galvanod', { body: words, tag: words, requireInteraction: true });
}

/** Three short tones, once. */
function sound() {
  audio ??= new AudioContext();
  audio.resume?.();
  TONES.forEach((hertz, i) => {
    const tone = new OscillatorNode(audio, { frequency: hertz, type: 'triangle' });
    const gain = new GainNode(audio, { gain: 0.12 });
    tone.connect(gain).connect(audio.destination);
    tone.start(audio.currentTime + i * 0.22);
    tone.stop(audio.currentTime + i * 0.22 + 0.16);
  });
}
