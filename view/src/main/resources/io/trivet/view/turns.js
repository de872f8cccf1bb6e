// What the loop did in its last turns, in words, and who has left.
import {element, find, reconcile, setText} from './dom.js';
import {clock, percent, seconds, simulated} from './format.js';
import {logElements} from './replay.js';
import {endReason, eventClass, eventText, ORDERLY, t} from './texts.js';

const SHOWN_MAX = 40;
const EVENTS_SHOWN_MAX = 12;

export class Turns {
  constructor(parent) {
    this.parent = parent;
    this.turns = [];
    this.idle = null;
  }

  // Adds the turns that have not been shown. Turns in which nothing was done are shown only while the loop is paused.
  add(turns, isPaused) {
    const last = this.turns.length > 0 ? this.turns[0].number : 0;
    for (const turn of turns) {
      if (turn.number > last && (turn.events.length > 0 || isPaused)) this.turns.unshift(turn);
    }
    this.turns.length = Math.min(this.turns.length, SHOWN_MAX);
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
    if (this.turns.length === 0) {
      if (!this.parent.querySelector('.empty')) this.parent.replaceChildren(element('li', {class: 'empty'}));
      setText(this.parent.firstElementChild, t('noTurns'));
      return;
    }
    this.parent.querySelector(':scope > .empty')?.remove();
    reconcile(this.parent, this.turns, turn => turn.number, turnElement, () => {});
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

export const loopName = index => loopNames[index] ?? `loop ${index}`;

function eventElements(turn, nothing) {
  const events = turn.events.slice(0, EVENTS_SHOWN_MAX).map(event => element('li', {class: eventClass(event.kind)}, eventText(event)));
  const left = turn.eventCount - events.length;
  if (left > 0) events.push(element('li', {}, t('moreEvents', left)));
  if (events.length === 0) events.push(element('li', {}, nothing));
  return events;
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
    const isBusy = loop.working && then.working && loop.turns === then.turns;
    return isBusy ? 1 : Math.min(1, Math.max(0, loop.workSeconds - then.workSeconds) / span);
  });
  const share = shares.reduce((sum, part) => sum + part, 0) / Math.max(1, shares.length);
  parent.querySelector('i').style.width = `${share * 100}%`;
  const [working, waiting] = parent.querySelectorAll('.legend span');
  setText(working, `${t('works')} ${percent(share)}`);
  setText(waiting, `${t('waits')} ${percent(1 - share)}`);
}

export function showClosed(parent, ends) {
  if (ends.length === 0) {
    parent.replaceChildren(element('li', {class: 'empty'}, t('noClosed')));
    return;
  }
  parent.querySelector('.empty')?.remove();
  reconcile(parent, ends, end => end.id, () => element('li', {}, element('span', {class: 'mono'}), element('span', {class: 'quiet'}),
    element('span', {class: 'reason'})), (child, end) => {
    child.className = ORDERLY.has(end.reason) ? '' : 'cut';
    const [who, ago, reason] = child.children;
    setText(who, end.address ?? `#${end.id}`);
    setText(ago, t('endOf', seconds(end.ago)));
    setText(reason, endReason(end) + (end.reset ? ` (${t('wasReset')})` : ''));
  });
}
