// A recorded run: the timeline, and the steps that it shows. A step is a state like those of a running server, so the rest of the page is the same.
import {element, find, setText, svg} from './dom.js';
import {simulated} from './format.js';
import {t} from './texts.js';

const PLAY_MILLIS = 700;
const KEPT_MAX = 300;
const WIDTH = 1000;
// What a step is marked for, as bits; a row of the timeline each.
const MARKS = [[1, 'joins', 6], [2, 'leaves', 14], [4, 'full', 22], [8, 'fault', 30]];
const FAILED = 16;

export class Replay {
  constructor(fetchJson, onStep) {
    this.fetchJson = fetchJson;
    this.onStep = onStep;
    this.recording = null;
    this.position = 0;
    this.kept = new Map(); // by position, the last ones
    this.timer = null;
    this.slider = find('replay-step');
    this.slider.addEventListener('input', () => this.go(Number(this.slider.value)));
    for (const [id, act] of [['first', () => this.go(0)], ['back', () => this.go(this.position - 1)], ['play', () => this.play()],
      ['next', () => this.go(this.position + 1)], ['last', () => this.go(this.count - 1)], ['failed', () => this.go(this.failedAt)]]) {
      find(`replay-${id}`).addEventListener('click', act);
    }
  }

  get active() { return this.recording !== null; }

  get count() { return this.recording.nanos.length; }

  get failedAt() { return this.recording.marks.findIndex(marks => marks & FAILED); }

  // The number of the step that is shown, for requests.
  get step() { return this.#number(this.position); }

  start(recording) {
    this.recording = recording;
    this.kept.clear();
    find('replay').hidden = false;
    this.slider.max = this.count - 1;
    setText(find('replay-title'), recording.title);
    setText(find('scenario'), recording.text);
    find('replay-failed').hidden = this.failedAt < 0;
    this.#drawMarks();
    this.go(0);
  }

  // Shows a step. While one is fetched, only the newest request is kept.
  async go(position) {
    this.position = Math.max(0, Math.min(this.count - 1, position));
    this.texts();
    if (this.fetching) return;
    this.fetching = true;
    try {
      let shown = -1;
      while (shown !== this.position) {
        shown = this.position;
        const tick = await this.#tick(shown);
        if (!tick) break;
        if (shown === this.position) this.onStep(tick);
      }
    } finally {
      this.fetching = false;
    }
  }

  async #tick(position) {
    const kept = this.kept.get(position) ?? await this.fetchJson(`api/step?step=${this.#number(position)}`);
    if (kept) {
      this.kept.delete(position);
      this.kept.set(position, kept);
      if (this.kept.size > KEPT_MAX) this.kept.delete(this.kept.keys().next().value);
    }
    return kept;
  }

  play() {
    if (this.timer) {
      clearInterval(this.timer);
      this.timer = null;
    } else {
      if (this.position === this.count - 1) this.go(0);
      this.timer = setInterval(() => {
        if (this.position === this.count - 1) this.play();
        else this.go(this.position + 1);
      }, PLAY_MILLIS);
    }
    this.texts();
  }

  // Returns true if the key was one of the timeline's.
  key(event) {
    const onSlider = event.target === this.slider;
    const steps = {ArrowRight: 1, ArrowLeft: -1, s: 1};
    if (event.key === 'p') this.play();
    else if (event.key === 'f' && this.failedAt >= 0) this.go(this.failedAt);
    else if (onSlider) return false; // it knows arrow keys, Home and End by itself
    else if (steps[event.key]) this.go(this.position + steps[event.key]);
    else if (event.key === 'Home') this.go(0);
    else if (event.key === 'End') this.go(this.count - 1);
    else return false;
    return true;
  }

  texts() {
    if (!this.active) return;
    const {nanos, leftOut, leftOutAfter, failure, steps} = this.recording;
    const where = t('replayWhere', this.step, steps, simulated(nanos[this.position]));
    setText(find('replay-where'), where);
    this.slider.value = this.position;
    this.slider.setAttribute('aria-valuetext', `${where}${this.position === this.failedAt ? `, ${t('replayFailedHere')}` : ''}`);
    find('replay-back').disabled = find('replay-first').disabled = this.position === 0;
    find('replay-next').disabled = find('replay-last').disabled = this.position === this.count - 1;
    setText(find('replay-play'), t(this.timer ? 'replayStop' : 'replayPlay'));
    find('replay-left-out').hidden = leftOut === 0;
    if (leftOut > 0) setText(find('replay-left-out'), t('replayLeftOut', leftOutAfter + 1, leftOutAfter + leftOut));
    find('replay-failure').hidden = !failure;
    if (failure) setText(find('replay-failure'), `${t(this.position === this.failedAt ? 'replayFailedHere' : 'replayFails', this.#number(this.failedAt))}: ${failure}`);
    find('replay-failure').classList.toggle('here', this.position === this.failedAt);
    const x = this.#x(this.position);
    find('replay-marks').querySelector('.cursor')?.setAttribute('d', `M${x} 0V36`);
  }

  // Returns when a step was, in nanoseconds since the start.
  time(number) {
    const {leftOutAfter, leftOut, nanos} = this.recording;
    return nanos[number <= leftOutAfter ? number - 1 : number - 1 - leftOut];
  }

  #number(position) {
    return position < this.recording.leftOutAfter ? position + 1 : position + 1 + this.recording.leftOut;
  }

  #x(position) {
    return this.count < 2 ? 0 : (position / (this.count - 1) * WIDTH).toFixed(1);
  }

  #drawMarks() {
    const paths = MARKS.map(([bit, name, y]) => {
      const path = this.recording.marks.map((marks, position) => marks & bit ? `M${this.#x(position)} ${y - 3}v6` : '').join('');
      return svg('path', {class: name, d: path});
    });
    if (this.failedAt >= 0) paths.push(svg('path', {class: 'failed', d: `M${this.#x(this.failedAt)} 0V36`}));
    paths.push(svg('path', {class: 'cursor'}));
    find('replay-marks').replaceChildren(...paths);
  }
}

// What else has happened since the step before: lines of the run's log, as they are.
export function logElements(turn) {
  if (!turn.lines?.length) return [];
  const lines = turn.lines.map(line => element('li', {}, line.trim()));
  if (turn.linesLeftOut > 0) lines.push(element('li', {}, t('moreLines', turn.linesLeftOut)));
  return [element('p', {class: 'log-head'}, t('meanwhile')), element('ol', {'class': 'log', 'aria-label': t('meanwhile'), 'tabindex': 0}, ...lines)];
}
