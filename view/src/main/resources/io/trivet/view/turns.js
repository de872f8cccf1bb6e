// What the loop did in its last turns, in words, and who has left.
import {element, find, reconcile, setText} from './dom.js';
import {clock, percent, seconds} from './format.js';
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
  const events = turn.events.slice(0, EVENTS_SHOWN_MAX).map(event => element('li', {class: eventClass(event.kind)}, eventText(event)));
  const left = turn.eventCount - events.length;
  if (left > 0) events.push(element('li', {}, t('moreEvents', left)));
  if (events.length === 0) events.push(element('li', {}, t('nothing')));
  return element('li', {}, element('div', {class: 'turn-head'}, element('b', {}, t('turn', turn.number)), element('span', {}, clock(turn.time)),
    element('span', {}, t('slept', seconds(turn.wait))), element('span', {}, t('worked', seconds(turn.work)))), element('ul', {}, ...events));
}

export function showRhythm(parent, wait, work) {
  const sum = wait + work;
  if (sum <= 0) return;
  if (!parent.firstElementChild) {
    parent.append(element('div', {class: 'split'}, element('i')), element('div', {class: 'legend'}, element('span'), element('span')));
  }
  const share = work / sum;
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
