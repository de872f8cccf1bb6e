// What the loop did in its last turns, in words, and who has left.
import {element, reconcile, setText} from './dom.js';
import {bytes, clock, percent, seconds, simulated} from './format.js';
import {either} from './language.js';
import {logElements} from './replay.js';
import {endReason, eventClass, eventText, ORDERLY, t} from './texts.js';

const SHOWN_MAX = 40;
const KEPT_MAX = 400;
// If a turn has many events, those by which a socket joins or leaves a list are shown first.
const CHANGES = new Set(['OPENED', 'SOCKET_FULL', 'SOCKET_DRAINED', 'QUEUE_HIGH', 'QUEUE_LOW', 'URGENT', 'INPUT_ENDED', 'CLOSED']);
const EVENTS_SHOWN_MAX = 12;

export class Turns {
  constructor(parent) {
    this.parent = parent;
    this.turns = [];
    this.ids = null; // the clients whose events are shown; null: all
  }

  // From now on, shows only what happens to these clients.
  showOnly(ids) {
    this.ids = ids;
    this.texts();
  }

  #shown() {
    if (!this.ids) return this.turns.slice(0, SHOWN_MAX);
    const shown = [];
    for (const turn of this.turns) {
      const isOpening = turn.events.some(event => event.kind === 'OPENED' && this.ids.has(event.id));
      const events = turn.events.filter(event => this.ids.has(event.id) || (isOpening && event.kind === 'ACCEPTED'));
      if (events.length > 0) shown.push({...turn, events, eventCount: events.length});
      if (shown.length === SHOWN_MAX) break;
    }
    return shown;
  }

  // Adds the turns that have not been shown. Turns in which nothing was done are shown only while the loop is paused.
  add(turns, isPaused) {
    const last = this.turns.length > 0 ? this.turns[0].number : 0;
    for (const turn of turns) {
      if (turn.number > last && (turn.events.length > 0 || isPaused)) this.turns.unshift(turn);
    }
    this.turns.length = Math.min(this.turns.length, KEPT_MAX);
    this.render();
  }

  // Shows the turns up to a step of a recorded run, its own first.
  replace(turns) {
    this.turns = turns.toReversed();
    this.parent.replaceChildren();
    this.render();
    this.parent.firstElementChild?.setAttribute('aria-current', 'step');
    this.parent.scrollTop = 0;
  }

  clear() {
    this.turns = [];
    this.parent.replaceChildren();
  }

  render() {
    const shown = this.#shown();
    if (shown.length === 0) {
      if (!this.parent.querySelector('.empty')) this.parent.replaceChildren(element('li', {class: 'empty'}));
      setText(this.parent.firstElementChild, t('noTurns'));
      return;
    }
    this.parent.querySelector(':scope > .empty')?.remove();
    reconcile(this.parent, shown, turn => turn.number, turnElement, (child, turn) => this.#showGap(child, turn, shown));
  }

  // Tells how many turns are not shown between a turn and the one before it.
  #showGap(child, turn, shown) {
    if (loopNames.length > 0) return;
    const before = shown[shown.indexOf(turn) + 1];
    const left = before ? turn.number - before.number - 1 : 0;
    let gap = child.querySelector(':scope > .gap');
    if (left > 0 && !gap) {
      gap = element('p', {class: 'gap'});
      child.append(gap);
    }
    if (gap) {
      gap.hidden = left <= 0;
      gap.title = t('turnsLeftOutWhy');
      setText(gap, t('turnsLeftOut', left));
    }
  }

  texts() {
    this.parent.replaceChildren();
    this.render();
  }
}

export function turnElement(turn) {
  return loopNames.length > 0 ? recordedTurn(turn) : liveTurn(turn);
}

function recordedTurn(turn) {
  const who = turn.loop < 0 ? '' : loopName(turn.loop);
  return element('li', {class: turn.failed ? 'failed' : ''}, element('div', {class: 'turn-head'}, element('b', {}, t('replayStep', turn.number)),
    element('span', {}, simulated(timeOf(turn.number))), who ? element('span', {}, who) : null, turn.failed ? element('strong', {}, t('replayFailedHere')) : null),
  element('ul', {}, ...eventElements(turn, t(turn.last ? 'replayEnd' : 'nothing'))), ...logElements(turn));
}

let loopNames = [];
let timeOf = () => 0;

// From now on, turns are the steps of a recorded run: with the names of its loops, and a function from the number of a step to its time.
export function showSteps(names, time) {
  loopNames = names;
  timeOf = time;
}

export const loopName = index => loopNames[index] ?? t('loop', index);

function eventElements(turn, nothing) {
  const first = turn.events.length <= EVENTS_SHOWN_MAX ? turn.events : firstEvents(turn.events);
  const events = first.map(event => element('li', {class: eventClass(event.kind)}, eventText(event)));
  const left = turn.eventCount - events.length;
  if (left > 0) events.push(element('li', {}, t('moreEvents', left)));
  if (events.length === 0) events.push(element('li', {}, nothing));
  return events;
}

function firstEvents(events) {
  const changes = events.filter(event => CHANGES.has(event.kind)).slice(0, EVENTS_SHOWN_MAX);
  const others = events.filter(event => !CHANGES.has(event.kind)).slice(0, EVENTS_SHOWN_MAX - changes.length);
  return events.filter(event => changes.includes(event) || others.includes(event));
}

function liveTurn(turn) {
  return element('li', {}, element('div', {class: 'turn-head'}, element('b', {}, t('turn', turn.number)), element('span', {}, clock(turn.time)),
    element('span', {}, t('slept', seconds(turn.wait))), element('span', {}, t('worked', seconds(turn.work)))), element('ul', {}, ...eventElements(turn, t('nothing'))));
}

// Shows which part of the last seconds the loops have worked. A turn counts when it is over, so one that has not ended for the whole time
// counts as work, if something has happened in it.
export function showRhythm(parent, loops, before, span) {
  if (!parent.firstElementChild) {
    parent.append(element('div', {class: 'split'}, element('i')), element('div', {class: 'legend'}, element('span'), element('span')));
  }
  const shares = loops.map((loop, index) => {
    const then = before[index];
    return isStuck(loop, then) ? 1 : Math.min(1, Math.max(0, loop.workSeconds - then.workSeconds) / span);
  });
  const share = shares.reduce((sum, part) => sum + part, 0) / Math.max(1, shares.length);
  parent.querySelector('i').style.width = `${share * 100}%`;
  const [working, waiting] = parent.querySelectorAll('.legend span');
  setText(working, `${t('works')} ${percent(share)}`);
  setText(waiting, `${t('waits')} ${percent(1 - share)}`);
}

// Returns a loop that has not ended its turn for the whole time, although something has happened in it; or undefined.
export function stuckLoop(loops, before) {
  return loops.find((loop, index) => isStuck(loop, before[index]));
}

const isStuck = (loop, then) => loop.working && then.working && loop.turns === then.turns && !loop.standing;

export function showClosed(parent, ends) {
  if (ends.length === 0) {
    parent.replaceChildren(element('li', {class: 'empty'}, t('noClosed')));
    return;
  }
  parent.querySelector('.empty')?.remove();
  reconcile(parent, grouped(ends), group => group.key, () => element('li', {}, element('span', {class: 'mono'}), element('span', {class: 'quiet'}),
    element('span', {class: 'reason'})), (child, {end, count, bytesIn, bytesOut}) => {
    child.className = ORDERLY.has(end.reason) ? '' : 'cut';
    const [who, ago, reason] = child.children;
    setText(who, `${count > 1 ? host(end) : end.address ?? `#${end.id}`}${count > 1 ? ` × ${count}` : ''}`);
    setText(ago, t('endOf', seconds(end.ago)));
    setText(reason, `${endReason(end)}${end.reset ? ` (${t('wasReset')})` : ''}${either('; ', '；')}${t('endTotals', bytes(bytesIn), bytes(bytesOut))}`);
  });
}

const host = end => end.address?.replace(/:\d+$/, '') ?? `#${end.id}`;

// Ends one after the other from the same host and for the same reason, together. The key is that of the oldest, so that an element stays.
function grouped(ends) {
  const groups = [];
  for (const end of ends) {
    const last = groups.at(-1);
    const what = `${host(end)} ${endReason(end)} ${end.reset}`;
    if (last?.what === what) {
      last.count++;
      last.key = end.id;
      last.bytesIn += end.bytesIn;
      last.bytesOut += end.bytesOut;
    } else {
      groups.push({what, end, key: end.id, count: 1, bytesIn: end.bytesIn, bytesOut: end.bytesOut});
    }
  }
  return groups;
}
