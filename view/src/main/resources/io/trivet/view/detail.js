// One client in detail: its present state, and what has happened to it lately.
import {spark} from './charts.js';
import {element, find, reconcile, rowsOf, setText} from './dom.js';
import {bytes, seconds} from './format.js';
import {either} from './language.js';
import {endReason, listsOf, stateName, t, why} from './texts.js';
import {turnElement} from './turns.js';

const TURNS_MAX = 30;
const QUEUE_POINTS_MAX = 240;
const ARMED_MILLIS = 4000;

export class Detail {
  constructor(fetchJson, post) {
    this.fetchJson = fetchJson;
    this.post = post;
    this.id = null;
    this.queue = [];
    this.dialog = find('detail');
    this.button = find('detail-client');
    this.button.addEventListener('click', () => this.#close());
    this.dialog.addEventListener('close', () => { this.id = null; });
    find('detail-close').addEventListener('click', () => this.dialog.close());
  }

  // Shows a client. If there is no answer, nothing is shown: the page says why.
  async open(id) {
    this.id = id;
    this.queue = [];
    find('detail-turns').replaceChildren();
    this.#disarm();
    if (await this.#refresh() && !this.dialog.open) this.dialog.showModal();
  }

  // Shows the client as it is in the newest state. The focus stays where it is.
  follow(hasControl, isReplay) {
    this.hasControl = hasControl;
    this.isReplay = isReplay;
    if (this.id && this.dialog.open) this.#refresh();
  }

  async #refresh() {
    const id = this.id;
    const client = await this.fetchJson(`api/client?id=${id}`);
    if (!client || this.id !== id) return false;
    const row = client.now;
    setText(find('detail-title'), t('client', row?.address ?? client.end?.address ?? `#${id}`));
    rowsOf(find('detail-facts'), row ? this.#facts(row) : [[t('gone'), client.end ? endReason(client.end) : '']]);
    this.#showQueue(row);
    this.#showTurns(client.turns);
    this.button.hidden = !row || !this.hasControl;
    if (!this.button.dataset.armed) setText(this.button, t('close'));
    return true;
  }

  #facts(row) {
    const rate = (total, perSecond) => this.isReplay ? bytes(total) : `${bytes(total)}${either(', ', '，')}${bytes(perSecond)}${t('perSecond')}`;
    return [
      [t('colState'), stateName(row.state)],
      ...(row.slow ? [[t('slow'), t('slowWhy')]] : []),
      [t('inLists'), listsOf(row)],
      [row.readable ? 'rlist' : t('notIn', 'rlist'), `${why(row.readable ? 'readable' : 'none', row)}${row.readForExact ? `${either(', ', '，')}${t('sinceFor', seconds(row.readFor))}` : ''}`],
      ...(row.writable ? [['wlist', why('writable', row)]] : []),
      ...(row.exceptional ? [['xlist', why('exceptional', row)]] : []),
      [t('colQueue'), t('queueLine', row.queueMessages, bytes(row.queueBytes), bytes(row.queueBytesMax))],
      ...(row.queueBytes > 0 ? [[t('oldest'), seconds(row.oldestAge)], [t('progress'), t('sinceFor', seconds(row.sinceProgress))]] : []),
      ...(row.timesFull > 0 ? [[t('timesFull'), t('full', row.timesFull)]] : []),
      [t('colIn'), rate(row.bytesIn, row.inRate)],
      [t('colOut'), rate(row.bytesOut, row.outRate)],
      [t('colIdle'), seconds(row.idle)],
      [t('colTls'), row.tls ?? t('plain')],
    ];
  }

  #showQueue(row) {
    if (row && !this.isReplay) this.queue.push(row.queueBytes);
    this.queue = this.queue.slice(-QUEUE_POINTS_MAX);
    const most = Math.max(0, ...this.queue);
    const chart = find('detail-queue');
    chart.hidden = this.queue.length < 2 || most === 0;
    if (!chart.hidden) chart.replaceChildren(element('h3', {}, t('queueChart')), spark(this.queue), element('p', {class: 'quiet'}, t('queueScale', bytes(most))));
  }

  #showTurns(turns) {
    const recent = turns.slice(-TURNS_MAX).reverse();
    const list = find('detail-turns');
    list.hidden = recent.length === 0;
    reconcile(list, recent, turn => turn.number, turnElement, () => {});
    const isWhole = turns.length <= TURNS_MAX && turns.some(turn => turn.events.some(event => event.kind === 'OPENED'));
    find('detail-before').hidden = isWhole;
    setText(find('detail-before'), t(recent.length === 0 ? 'noHistory' : this.isReplay ? 'replayBefore' : 'historyBefore'));
  }

  // Needs a second press: the client loses the messages that wait for it.
  async #close() {
    if (this.button.dataset.armed) {
      this.#disarm();
      const error = await this.post(`api/close?id=${this.id}`);
      setText(find('detail-error'), error ?? '');
      find('detail-error').hidden = !error;
    } else {
      this.button.dataset.armed = 'yes';
      setText(this.button, t('confirmClose'));
      setTimeout(() => this.#disarm(), ARMED_MILLIS);
    }
  }

  #disarm() {
    delete this.button.dataset.armed;
    setText(this.button, t('close'));
    find('detail-error').hidden = true;
  }
}
