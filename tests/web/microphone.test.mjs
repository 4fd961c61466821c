import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { soundFrame } from "../../server/web/connection.js";
import { Floor } from "../../server/web/floor.js";
import { Microphone, trouble } from "../../server/web/microphone.js";
import { Resampler } from "../../server/web/resampler.js";
import { Talk } from "../../server/web/talk.js";

const TARGET = 16000;
const QUANTUM = 128;

function sine(rate, hertz, seconds = 0.5) {
  return Float32Array.from({ length: Math.round(rate * seconds) }, (_, n) => Math.sin((2 * Math.PI * hertz * n) / rate));
}

/** As an AudioWorklet gets it, 128 samples at a time. */
function through(resampler, samples, quantum = QUANTUM) {
  const made = [];
  for (let at = 0; at < samples.length; at += quantum) made.push(...resampler.feed(samples.subarray(at, at + quantum)));
  return Float32Array.from(made);
}

/** Strength of what is there, dB re the sine that went in, without the ends where the filter fills. */
function strength(samples) {
  const middle = samples.subarray(200, samples.length - 200);
  const power = middle.reduce((sum, sample) => sum + sample * sample, 0) / middle.length;
  return 10 * Math.log10(2 * power + 1e-12);
}

for (const rate of [44100, 48000, 32000, 96000]) {
  test(`from ${rate} Hz, speech up to 7 kHz comes through as it was`, () => {
    for (let hertz = 100; hertz <= 7000; hertz += 230) {
      const change = strength(through(new Resampler(rate, TARGET), sine(rate, hertz)));
      assert.ok(Math.abs(change) <= 0.5, `${hertz} Hz: ${change.toFixed(2)} dB`);
    }
  });

  test(`from ${rate} Hz, nothing above 8 kHz folds back into speech`, () => {
    for (let hertz = 8000; hertz < rate / 2 - 100; hertz += 370) {
      const left = strength(through(new Resampler(rate, TARGET), sine(rate, hertz)));
      assert.ok(left <= -60, `${hertz} Hz: ${left.toFixed(1)} dB`);
    }
  });
}

test("a tone keeps its pitch and its place, and does not depend on how it was cut", () => {
  for (const rate of [44100, 48000, 8000, 22050]) {
    const tone = sine(rate, 1000, 0.3);
    const made = through(new Resampler(rate, TARGET), tone);
    const wanted = sine(TARGET, 1000, 0.3);
    assert.ok(Math.abs(made.length - wanted.length) < TARGET * 0.006, `${rate}: ${made.length}`);
    for (let n = 300; n < made.length - 300; n += 1) assert.ok(Math.abs(made[n] - wanted[n]) < 0.01, `${rate} at ${n}`);
    for (const quantum of [1, 7, 441, 9000]) assert.deepEqual(through(new Resampler(rate, TARGET), tone, quantum), made);
  }
  const same = sine(TARGET, 440, 0.1);
  assert.deepEqual(through(new Resampler(TARGET, TARGET), same), same);
});

test("a long sound at 44.1 kHz does not drift", () => {
  const resampler = new Resampler(44100, TARGET);
  const second = new Float32Array(44100);
  let made = 0;
  for (let n = 0; n < 20; n += 1) made += resampler.feed(second).length;
  assert.ok(Math.abs(made - 20 * TARGET) < 100);
});

test("a sound frame is made as docs/protocol.md has it", () => {
  assert.deepEqual([...soundFrame(Int16Array.of(1, -2).buffer)], [2, 0, 0, 0, 1, 0, 254, 255]);
});

test("why a microphone cannot be opened is told apart", () => {
  const told = (name) => trouble({ name });
  assert.deepEqual(
    ["NotAllowedError", "SecurityError", "NotFoundError", "OverconstrainedError", "NotReadableError", "TypeError"].map(told),
    ["denied", "insecure", "missing", "missing", "occupied", "broken"],
  );
  assert.equal(trouble(undefined), "broken");
});

test("a browser without microphones is offered none, an insecure page is told why", () => {
  const given = { navigator: globalThis.navigator, window: globalThis.window };
  const browser = (mediaDevices, isSecureContext) => {
    Object.defineProperty(globalThis, "navigator", { value: { mediaDevices }, configurable: true });
    Object.defineProperty(globalThis, "window", { value: { isSecureContext }, configurable: true });
  };
  try {
    browser(undefined, true);
    assert.equal(Microphone.offered, false);
    browser(undefined, false);
    assert.equal(Microphone.offered, true);
  } finally {
    for (const [name, value] of Object.entries(given)) Object.defineProperty(globalThis, name, { value, configurable: true });
  }
});

const SPEECH = -20;
const ROOM = -58;

/** Frames of 20 ms. @returns {string[]} the state after each */
function listen(floor, level, frames, playing = true) {
  return Array.from({ length: frames }, () => {
    floor.hear(level, playing);
    return floor.state;
  });
}

function quietRoom() {
  const floor = new Floor();
  listen(floor, ROOM, 100);
  return floor;
}

test("speech softens the presenter within 40 ms and pauses it within 60, before the server says anything", () => {
  const states = listen(quietRoom(), SPEECH, 5);
  assert.deepEqual(states, ["open", "ducked", "held", "held", "held"]);
});

test("a click is nothing, and where nothing is played there is nothing to soften", () => {
  const floor = quietRoom();
  assert.deepEqual(listen(floor, SPEECH, 1), ["open"]);
  assert.ok(listen(floor, ROOM, 30).every((state) => state === "open"));
  assert.ok(listen(floor, SPEECH, 50, false).every((state) => state === "open"));
});

test("the server's word holds, however quiet it is, until it says that it was nothing", () => {
  const floor = quietRoom();
  floor.tell("ducked", "speech");
  assert.equal(floor.state, "ducked");
  floor.tell("held", "speech");
  assert.ok(listen(floor, ROOM, 100).every((state) => state === "held"));
  floor.tell("resumed", "backchannel");
  assert.equal(floor.state, "open");
});

test("after a false alarm the same sound does not stop the presenter again, the next one does", () => {
  const floor = quietRoom();
  listen(floor, SPEECH, 20);
  floor.tell("held", "speech");
  floor.tell("resumed", "backchannel");
  assert.ok(listen(floor, SPEECH, 40).every((state) => state === "open"));
  listen(floor, ROOM, 15);
  assert.equal(listen(floor, SPEECH, 5).at(-1), "held");
});

test("a pause of which the server says nothing ends, and makes it warier", () => {
  const floor = quietRoom();
  const states = listen(floor, SPEECH, 60);
  assert.ok(states.indexOf("held") < 5 && states.at(-1) === "open");
  listen(floor, ROOM, 50);
  assert.ok(listen(floor, ROOM + 15, 10).every((state) => state === "open"), "a sound just over the room's");
  assert.equal(listen(floor, SPEECH, 5).at(-1), "held", "a voice all the same");
});

test("a loud room becomes the room", () => {
  const floor = quietRoom();
  listen(floor, -44, 2000, false);
  assert.ok(listen(floor, -44, 50).every((state) => state === "open"));
});

test("another turn begins with the floor open", () => {
  const floor = quietRoom();
  floor.tell("held", "speech");
  floor.reset();
  assert.equal(floor.state, "open");
});

class FakeMicrophone extends EventTarget {
  open = false;
  cancelling = true;
  trouble = null;
  starts = 0;
  async start() {
    this.starts += 1;
    if (this.trouble) throw this.trouble;
    this.open = true;
    return true;
  }
  close() {
    this.open = false;
  }
  hear(level = SPEECH) {
    this.dispatchEvent(new CustomEvent("sound", { detail: { pcm: new ArrayBuffer(640), level } }));
  }
}

/** A Talk with a server that hears. */
function talking() {
  const microphone = new FakeMicrophone();
  const sent = [];
  const line = {
    send: (message) => sent.push(message) > 0,
    sound: (pcm) => sent.push(pcm.byteLength) > 0,
  };
  const talk = new Talk(microphone, line);
  talk.connected(true);
  return { talk, microphone, sent };
}

const AUTO = { type: "listen", format: "pcm_s16le", rate: 16000, turns: "auto", half_duplex: false };
const MANUAL = { type: "listen", format: "pcm_s16le", rate: 16000, turns: "manual" };
const OFF = { type: "listen", format: "pcm_s16le", rate: 16000, active: false };

async function settle() {
  for (let n = 0; n < 5; n += 1) await Promise.resolve();
}

test("a tap listens hands-free, another one ends it and lets go of the microphone", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { talk, microphone, sent } = talking();
  talk.press();
  talk.release();
  await settle();
  assert.deepEqual([talk.mode, sent], ["free", [AUTO]]);
  microphone.hear();
  assert.equal(sent.at(-1), 640);
  talk.press();
  talk.release();
  assert.deepEqual([talk.mode, microphone.open, sent.at(-1)], ["off", false, OFF]);
  microphone.hear();
  assert.deepEqual(sent.at(-1), OFF);
  mock.timers.reset();
});

test("what is said while the button is held is one turn, its last syllable too", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { talk, microphone, sent } = talking();
  const pushed = [];
  talk.addEventListener("pushed", () => pushed.push(talk.mode));
  talk.press();
  talk.press();
  await settle();
  microphone.hear();
  mock.timers.tick(299);
  assert.deepEqual(pushed, []);
  mock.timers.tick(1);
  assert.deepEqual(pushed, ["pushed"]);
  talk.release();
  microphone.hear();
  mock.timers.tick(250);
  assert.deepEqual(sent, [MANUAL, 640, 640, { type: "commit" }, OFF]);
  assert.deepEqual([talk.mode, microphone.open], ["off", true]);
  mock.timers.tick(20000);
  assert.equal(microphone.open, false, "it is let go of when nobody talks any more");
  mock.timers.reset();
});

test("who goes on hands-free after a push is not let go of", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { talk, microphone } = talking();
  talk.press();
  await settle();
  mock.timers.tick(400);
  talk.release();
  mock.timers.tick(250);
  talk.toggle();
  await settle();
  mock.timers.tick(30000);
  assert.deepEqual([talk.mode, microphone.open], ["free", true]);
  mock.timers.reset();
});

test("who presses again at once has two turns", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { talk, sent } = talking();
  talk.press();
  await settle();
  mock.timers.tick(400);
  talk.release();
  mock.timers.tick(100);
  talk.press();
  await settle();
  assert.deepEqual(sent, [MANUAL, { type: "commit" }, OFF, MANUAL]);
  mock.timers.tick(400);
  talk.release();
  mock.timers.tick(250);
  assert.deepEqual(sent.slice(4), [{ type: "commit" }, OFF]);
  mock.timers.reset();
});

test("a key that means nothing when tapped is let go of without a turn", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { talk, microphone, sent } = talking();
  talk.press(false);
  await settle();
  talk.release();
  assert.deepEqual([talk.mode, microphone.open, sent], ["off", false, [MANUAL, { type: "clear" }, OFF]]);
  mock.timers.reset();
});

test("a microphone that cannot be opened is told, once, and nothing is sent", async () => {
  const { talk, microphone, sent } = talking();
  const told = [];
  talk.addEventListener("trouble", ({ detail }) => told.push(detail));
  microphone.trouble = "denied";
  talk.press();
  talk.release();
  await settle();
  assert.deepEqual([told, talk.mode, sent], [["denied"], "off", []]);
});

test("a device that vanishes is told, and the next tap opens it again", async () => {
  const { talk, microphone } = talking();
  const told = [];
  talk.addEventListener("trouble", ({ detail }) => told.push(detail));
  talk.toggle();
  await settle();
  microphone.open = false;
  microphone.dispatchEvent(new Event("lost"));
  assert.deepEqual([told, talk.mode], [["lost"], "off"]);
  talk.toggle();
  await settle();
  assert.deepEqual([talk.mode, microphone.starts], ["free", 2]);
});

test("hands-free goes on with the next connection, and not with a server that is deaf", async () => {
  const { talk, microphone, sent } = talking();
  talk.toggle();
  await settle();
  talk.disconnected();
  microphone.hear();
  assert.deepEqual(sent, [AUTO]);
  talk.connected(true);
  assert.deepEqual(sent, [AUTO, AUTO]);
  talk.disconnected();
  talk.connected(false);
  assert.deepEqual([talk.mode, microphone.open], ["off", false]);
  talk.press();
  assert.equal(talk.mode, "off");
});

test("without echo cancellation it does not listen while the presenter speaks", async () => {
  const { talk, microphone, sent } = talking();
  const levels = [];
  talk.addEventListener("level", ({ detail }) => levels.push(detail));
  microphone.cancelling = false;
  talk.toggle();
  await settle();
  microphone.hear();
  assert.deepEqual(sent, [{ ...AUTO, half_duplex: true }, 640]);
  assert.deepEqual(levels, [], "and is not softened by the sound of itself");
  microphone.cancelling = true;
  microphone.hear();
  assert.deepEqual(levels, [SPEECH]);
});
