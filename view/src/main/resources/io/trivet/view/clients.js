// The table of clients. The server sorts and filters; only the rows that can be seen are fetched, and only these are in the page.
import {bar, element, setText, showQueue} from './dom.js';
import {bytes, seconds} from './format.js';
import {either} from './language.js';
import {ageBarText, listsOf, marksOf, queueBarText, stateName, t, why} from './texts.js';

const ROW_HEIGHT = 36;
const EXTRA_ROWS = 8;
const COLUMNS = [['address', 'colAddress'], ['state', 'colState'], ['queue', 'colQueue'], ['age', 'colAge'], ['in', 'colIn', true], ['out', 'colOut', true],
  ['idle', 'colIdle', true], ['tls', 'colTls']];
const HINTS = {state: 'marksLegend', queue: 'hintQueue', age: 'hintAge', in: 'hintIn', out: 'hintOut', idle: 'hintIdle'};
const ASCENDING_FIRST = new Set(['address', 'state', 'tls']);

export class Clients {
  constructor(parent, filter, matching, fetchJson, onOpen) {
    this.fetchJson = fetchJson;
    this.onOpen = onOpen;
    this.filter = filter;
    this.matching = matching;
    this.sort = 'queue';
    this.descending = true;
    this.requested = 0;
    this.shown = 0;
    this.rows = [];
    this.from = 0;
    this.total = 0;
    this.parent = parent;
    this.head = element('div', {'class': 'row head', 'role': 'row', 'aria-rowindex': 1});
    this.spacer = element('div', {class: 'spacer', role: 'presentation'});
    this.viewport = element('div', {class: 'viewport', role: 'presentation', tabindex: -1}, this.spacer);
    this.empty = element('p', {class: 'empty', hidden: true});
    parent.setAttribute('role', 'table');
    parent.append(this.head, this.viewport);
    this.viewport.append(this.empty);
    this.elements = [];
    this.focused = -1;
    this.viewport.addEventListener('scroll', () => {
      this.place();
      clearTimeout(this.scrolling);
      this.scrolling = setTimeout(() => this.refresh(), 40);
    });
    filter.addEventListener('input', () => {
      this.viewport.scrollTop = 0;
      this.refresh();
    });
    this.viewport.addEventListener('keydown', event => this.#key(event));
    this.texts();
  }

  texts() {
    this.parent.setAttribute('aria-label', t('tabClients'));
    this.head.replaceChildren(...COLUMNS.map(([name, text, isNumber]) => {
      const sorted = this.sort === name ? (this.descending ? 'descending' : 'ascending') : 'none';
      return element('div', {'role': 'columnheader', 'class': isNumber ? 'number' : '', 'aria-sort': sorted},
        element('button', {'type': 'button', 'data-sort': name, 'title': HINTS[name] ? t(HINTS[name]) : null, 'onclick': () => this.sortBy(name)}, t(text)));
    }));
    this.#fill();
  }

  sortBy(name) {
    this.descending = this.sort === name ? !this.descending : !ASCENDING_FIRST.has(name);
    this.sort = name;
    this.viewport.scrollTop = 0;
    this.texts();
    this.head.querySelector(`[data-sort="${name}"]`).focus();
    this.refresh();
  }

  // Fetches the rows that can be seen. An answer that comes after a newer one is dropped.
  async refresh() {
    const number = ++this.requested;
    const first = Math.max(0, Math.floor(this.viewport.scrollTop / ROW_HEIGHT) - EXTRA_ROWS);
    const count = Math.ceil(Math.max(this.viewport.clientHeight, 720) / ROW_HEIGHT) + 2 * EXTRA_ROWS;
    const query = new URLSearchParams({sort: this.sort, order: this.descending ? 'desc' : 'asc', filter: this.filter.value, from: first, count});
    const page = await this.fetchJson(`api/clients?${query}`);
    if (!page || number < this.shown) return;
    this.shown = number;
    this.rows = page.rows;
    this.from = page.from;
    this.total = page.matching;
    this.spacer.style.height = `${page.matching * ROW_HEIGHT}px`;
    this.viewport.style.setProperty('--rows', page.matching);
    this.parent.setAttribute('aria-rowcount', page.matching + 1);
    setText(this.matching, t('matching', page.matching, page.total));
    this.empty.hidden = page.matching > 0;
    this.empty.style.padding = '2rem 1rem';
    setText(this.empty, t(page.total === 0 ? 'noClients' : 'noMatch'));
    this.#fill();
  }

  #fill() {
    while (this.elements.length < this.rows.length) this.elements.push(this.#row());
    this.rows.forEach((row, index) => this.#update(this.elements[index], row));
    for (let i = this.rows.length; i < this.elements.length; i++) this.elements[i].remove();
    this.place();
  }

  place() {
    this.rows.forEach((row, index) => {
      const made = this.elements[index];
      made.style.transform = `translateY(${(this.from + index) * ROW_HEIGHT}px)`;
      made.setAttribute('aria-rowindex', this.from + index + 2);
      made.tabIndex = this.from + index === Math.max(this.focused, this.from) ? 0 : -1;
      if (made.parentNode !== this.spacer) this.spacer.append(made);
    });
  }

  #row() {
    const cell = (...children) => element('div', {role: 'cell'}, ...children);
    const mark = letter => element('span', {'class': 'mark', 'aria-hidden': 'true'}, letter);
    const row = element('div', {class: 'row', role: 'row', tabindex: -1}, cell(element('span', {class: 'mono'})),
      cell(element('span', {class: 'marks'}, mark('R'), mark('W'), mark('X')), element('span', {class: 'visually-hidden'}), element('span', {class: 'state'}), element('span', {class: 'badge'})),
      cell(element('div', {class: 'gauge'}, bar(0), element('span', {class: 'number'}))),
      cell(element('div', {class: 'gauge'}, bar(0), element('span', {class: 'number'}))),
      element('div', {role: 'cell', class: 'number'}), element('div', {role: 'cell', class: 'number'}), element('div', {role: 'cell', class: 'number'}), cell());
    row.addEventListener('click', () => this.onOpen(row.dataset.id));
    return row;
  }

  #update(made, row) {
    made.dataset.id = row.id;
    const [address, state, queue, age, input, output, idle, tls] = made.children;
    setText(address.firstElementChild, row.address ?? `#${row.id}`);
    const [r, w, x] = state.querySelectorAll('.mark');
    r.className = row.readable ? 'mark r' : 'mark';
    w.className = row.writable ? 'mark w' : 'mark';
    x.className = row.exceptional ? 'mark x' : 'mark';
    setText(state.querySelector('.visually-hidden'), `${listsOf(row)}${either(', ', '，')}`);
    setText(state.querySelector('.state'), stateName(row.state));
    setText(state.lastElementChild, row.slow ? t('slow') : '');
    made.classList.toggle('slow', row.slow);
    made.title = [row.readable ? `rlist: ${why('readable', row)}` : why('none', row), row.writable ? `wlist: ${why('writable', row)}` : '', row.slow ? `${t('slow')}: ${t('slowWhy')}` : '']
      .filter(Boolean).join('\n');
    const waits = row.queueBytes > 0;
    const [queueBar, queueLabel] = queue.firstElementChild.children;
    queueBar.style.visibility = waits ? 'visible' : 'hidden';
    showQueue(queueBar, row.queueBytes, row.queueBytesMax, marksOf(row)?.high ?? 0, queueBarText(row));
    setText(queueLabel, waits ? bytes(row.queueBytes) : '');
    this.#gauge(age, row.writeTimeout > 0 ? row.sinceProgress / row.writeTimeout : 0, row.oldestAge > 0 ? seconds(row.oldestAge) : '');
    age.title = row.oldestAge > 0 ? ageBarText(row) : '';
    setText(input, bytes(row.bytesIn));
    setText(output, bytes(row.bytesOut));
    setText(idle, seconds(row.idle));
    setText(tls, row.tls ? row.tls.split(' ')[0] : '–');
  }

  #gauge(cell, share, text) {
    const [gauge, label] = cell.firstElementChild.children;
    gauge.firstElementChild.style.width = `${Math.min(100, share * 100)}%`;
    gauge.style.visibility = share > 0 ? 'visible' : 'hidden';
    gauge.firstElementChild.className = share > 0.75 ? 'high' : '';
    setText(label, text);
  }

  #key(event) {
    const row = event.target.closest('.row');
    if (!row) return;
    const index = this.elements.indexOf(row);
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      this.onOpen(row.dataset.id);
    } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      const next = this.elements[index + (event.key === 'ArrowDown' ? 1 : -1)];
      if (next?.isConnected) {
        this.focused = this.from + this.elements.indexOf(next);
        this.place();
        next.focus({preventScroll: true});
        const top = this.focused * ROW_HEIGHT;
        if (top < this.viewport.scrollTop) this.viewport.scrollTop = top;
        else if (top + ROW_HEIGHT > this.viewport.scrollTop + this.viewport.clientHeight) this.viewport.scrollTop = top + ROW_HEIGHT - this.viewport.clientHeight;
      }
    }
  }
}
