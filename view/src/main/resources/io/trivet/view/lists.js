// The three lists, side by side. A socket that joins a list flies there from the list where it stood.
import {bar, element, reconcile, setText, showQueue} from './dom.js';
import {seconds} from './format.js';
import {listenerWhy, marksOf, queueBarText, queueScale, t, why} from './texts.js';

const NAMES = ['readable', 'writable', 'exceptional'];
const PYTHON = {readable: 'rlist', writable: 'wlist', exceptional: 'xlist'};
const DETAILED_MAX = 10; // with more sockets, only their addresses are shown
const MOVE = {duration: 650, easing: 'cubic-bezier(.3, 0, .1, 1)'};
const still = matchMedia('(prefers-reduced-motion: reduce)');

export class Lists {
  constructor(parent, outside, onOpen) {
    this.parent = parent;
    this.outside = outside;
    this.onOpen = onOpen;
    this.tourIds = new Set(); // of the clients of the guided tour
    this.cards = new Map();
    for (const name of NAMES) this.cards.set(name, this.#card(name, parent));
  }

  #card(name, parent) {
    const count = element('span', {class: 'count'});
    const title = element('h2');
    const meaning = element('p', {class: 'meaning'});
    const members = element('ul', {class: 'members'});
    const empty = element('p', {class: 'empty'});
    const more = element('p', {class: 'more'});
    const card = element('section', {class: `list card ${name}`, 'data-list': name},
      element('div', {class: 'card-head'}, title, count), meaning, members, empty, more);
    parent.append(card);
    return {card, title, count, meaning, members, empty, more};
  }

  texts() {
    for (const [name, card] of this.cards) {
      if (name === 'none') continue;
      card.title.replaceChildren(element('code', {}, PYTHON[name]), element('span', {}, ` ${t(name)}`));
      setText(card.meaning, t(`${name}Meaning`));
      setText(card.empty, t(`${name}Empty`));
    }
    const none = this.cards.get('none');
    if (none) {
      setText(none.title, t('noneTitle'));
      setText(none.meaning, t('noneMeaning'));
    }
  }

  show(lists, turns, listeners) {
    const places = this.#places();
    for (const name of NAMES) this.#fill(name, lists[name], lists[name].listeners.map(address => ({address, state: 'ACCEPTING'})));
    this.#fillOutside(lists.none, listeners.filter(listener => !['ACCEPTING', 'CLOSED'].includes(listener.state)));
    if (!still.matches && document.visibilityState === 'visible') this.#move(places);
    this.#flash(turns);
  }

  #fillOutside(none, listeners) {
    if (!this.outside) return;
    const count = none.count + listeners.length;
    if (count > 0 && !this.cards.has('none')) {
      this.cards.set('none', this.#card('none', this.outside));
      this.texts();
    }
    if (this.cards.has('none')) {
      this.cards.get('none').card.hidden = count === 0;
      this.#fill('none', {...none, count}, listeners);
    }
  }

  #fill(name, list, listeners) {
    const {card, count, members, empty, more} = this.cards.get(name);
    setText(count, String(list.count));
    const items = [...listeners.map((listener, index) => ({...listener, isListener: true, id: `L${index}`})), ...list.sockets];
    members.classList.toggle('many', items.length > DETAILED_MAX);
    reconcile(members, items, item => item.id, item => this.#member(name, item), (child, item) => this.#update(name, child, item));
    empty.hidden = list.count > 0;
    const left = list.count - items.length;
    more.hidden = left <= 0;
    if (left > 0) setText(more, t('more', left));
    card.classList.toggle('is-empty', list.count === 0);
  }

  #member(name, item) {
    const parts = [element('span', {class: 'name'}), element('span', {class: 'badge'}), element('span', {class: 'since'}), element('span', {class: 'why'})];
    if (item.isListener) return element('li', {}, element('div', {class: 'member listener'}, ...parts));
    return element('li', {}, element('button', {class: 'member', type: 'button', onclick: () => this.onOpen(item.id)}, ...parts,
      ...name === 'writable' ? [bar(0), element('span', {'class': 'scale', 'aria-hidden': 'true'})] : []));
  }

  #update(name, child, item) {
    const [who, badge, since, reason] = child.querySelectorAll('.name, .badge, .since, .why');
    setText(who, item.address ?? `#${item.id}`);
    if (item.isListener) {
      setText(since, t('listener'));
      setText(reason, listenerWhy(item));
      return;
    }
    setText(since, sinceText(name, item));
    setText(reason, why(name, item));
    const isTours = this.tourIds.has(item.id);
    setText(badge, [isTours ? t('yours') : '', item.slow ? t('slow') : ''].filter(Boolean).join(', '));
    const button = child.firstElementChild;
    button.classList.toggle('slow', item.slow);
    button.classList.toggle('tours', isTours);
    button.title = `${item.address ?? ''}: ${why(name, item)}${item.slow ? `\n${t('slow')}: ${t('slowWhy')}` : ''}`;
    const gauge = child.querySelector('.bar');
    if (!gauge) return;
    showQueue(gauge, item.queueBytes, item.queueBytesMax, marksOf(item)?.high ?? 0, queueBarText(item));
    const scale = child.querySelector('.scale');
    const marks = queueScale(item);
    if (scale.children.length !== marks.length) scale.replaceChildren(...marks.map(() => element('span')));
    marks.forEach((mark, index) => setText(scale.children[index], mark));
  }

  // Where each socket stands now, by list.
  #places() {
    const places = new Map();
    for (const [name, {members}] of this.cards) {
      for (const child of members.children) {
        if (child.dataset.key[0] !== 'L') {
          if (!places.has(child.dataset.key)) places.set(child.dataset.key, new Map());
          places.get(child.dataset.key).set(name, child.getBoundingClientRect());
        }
      }
    }
    return places;
  }

  #move(places) {
    for (const [name, {members}] of this.cards) {
      for (const child of members.children) {
        const before = places.get(child.dataset.key);
        if (child.dataset.key[0] === 'L' || before?.has(name)) continue;
        const from = before?.values().next().value;
        const to = child.getBoundingClientRect();
        if (from && to.width > 0 && from.width > 0) {
          child.animate([{transform: `translate(${from.left - to.left}px, ${from.top - to.top}px)`, zIndex: 3, opacity: .75},
            {transform: 'none', zIndex: 3, opacity: 1}], MOVE);
        } else {
          child.animate([{transform: 'scale(.9)', opacity: 0}, {transform: 'none', opacity: 1}], {duration: 300});
        }
      }
    }
  }

  // What was ready in the last turns lights up.
  #flash(turns) {
    const ready = {readable: new Set(), writable: new Set(), exceptional: new Set()};
    for (const turn of turns) {
      for (const event of turn.events) {
        if (event.kind === 'RECEIVED' || event.kind === 'INPUT_ENDED') ready.readable.add(event.id);
        if (event.kind === 'WRITABLE') ready.writable.add(event.id);
        if (event.kind === 'URGENT') ready.exceptional.add(event.id);
        if (event.kind === 'ACCEPTED') ready.readable.add('L');
      }
    }
    for (const name of NAMES) {
      for (const child of this.cards.get(name).members.children) {
        const key = child.dataset.key[0] === 'L' ? 'L' : child.dataset.key;
        if (ready[name].has(key)) {
          const colour = getComputedStyle(child.firstElementChild).borderLeftColor;
          child.firstElementChild.animate([{boxShadow: `0 0 0 3px ${colour}`}, {boxShadow: '0 0 0 0 transparent'}], {duration: 900});
        }
      }
    }
  }
}

// Since when a socket is in a list. What is not known exactly is shown only where the server knows a part of it: how long the client has
// accepted nothing. A socket that is read joins and leaves xlist together with rlist.
function sinceText(name, item) {
  if (name === 'writable') return item.writeForExact || item.writeFor >= 1 ? (item.writeForExact ? t('sinceFor', seconds(item.writeFor)) : t('sinceAtLeast', seconds(item.writeFor, Math.floor))) : '';
  return item.readForExact ? t('sinceFor', seconds(item.readFor)) : '';
}
