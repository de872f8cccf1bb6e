// Connects to the server, and passes what it reports to the parts of the page.
import {Charts} from './charts.js';
import {Clients} from './clients.js';
import {Detail} from './detail.js';
import {element, find, rowsOf, setText} from './dom.js';
import {bytes, count, percent, seconds, simulated} from './format.js';
import {showHelp, usesKeys} from './help.js';
import {currentLanguage, either, setLanguage} from './language.js';
import {Lists} from './lists.js';
import {Panels} from './panels.js';
import {Replay} from './replay.js';
import {barsLegend, engineName, limitRows, memoryRows, t, useLimits, useUrgent} from './texts.js';
import {showTips} from './tips.js';
import {Tour} from './tour.js';
import {loopName, showClosed, showRhythm, showSteps, stuckLoop, Turns} from './turns.js';

const LIVE_TABS = ['lists', 'clients', 'server', 'tour'];
const REPLAY_TABS = LIVE_TABS.slice(0, 3);
const STALE_AFTER_MILLIS = 3500;
const RETRY_MILLIS = 1500;
const RATES_OVER_MILLIS = 2000;
const STUCK_MILLIS = 1900; // a sample may be a little late

let hello = null;
let tick = null;
let arrivedAt = 0;
let events = null;
let problem = null;
let gone = false; // the last request had no answer
let earlier = []; // ticks of the last seconds, for rates
let tabs = LIVE_TABS;
let wanted = location.hash.slice(2); // the tab in the address, until it is there or another one is selected
const tourIds = new Set(); // the clients of the guided tour, those that are gone included

// The token is in the cookie from now on: it need not stay in the address, where it could be read over a shoulder.
history.replaceState(null, '', location.pathname + location.hash);

// ---- requests

async function fetchJson(path) {
  try {
    const response = await fetch(path, {cache: 'no-store'});
    if (response.status === 401) problem = 'restarted';
    gone = false;
    return response.ok ? await response.json() : null;
  } catch {
    gone = true;
    if (replay.active) showStatus();
    return null;
  }
}

// Returns null, or why it was refused.
async function post(path) {
  try {
    const response = await fetch(path, {method: 'POST', cache: 'no-store'});
    return response.ok ? null : (await response.text()).trim();
  } catch (error) {
    return String(error.message);
  }
}

const detail = new Detail(path => fetchJson(atStep(path)), post);
const open = id => detail.open(id);
const lists = new Lists(find('lists'), find('outside'), open);
const tourLists = new Lists(find('tour-lists'), null, open);
const turns = new Turns(find('turns'));
const tourTurns = new Turns(find('tour-turns'));
const charts = new Charts(find('charts'));
const replay = new Replay(fetchJson, receive);
const clients = new Clients(find('clients'), find('filter'), find('matching'), query => fetchJson(atStep(query)), open);
const tour = new Tour(post);
const panels = new Panels(find('tabs'), find('main'), bindTab);
lists.tourIds = tourLists.tourIds = tourIds;

// Adds the step that is shown to a request about a recorded run.
function atStep(path) { return replay.active ? `${path}&step=${replay.step}` : path; }

// ---- the stream of events

function connect() {
  events = new EventSource('api/events');
  events.addEventListener('hello', event => greet(JSON.parse(event.data)));
  events.addEventListener('message', event => receive(JSON.parse(event.data)));
  events.addEventListener('error', () => {
    if (events.readyState === EventSource.CLOSED) retry();
    showStatus();
  });
}

// The server has answered with an error, or is not there: finds out which, and tries again.
async function retry() {
  try {
    const response = await fetch('api/hello', {cache: 'no-store'});
    problem = response.status === 401 ? 'restarted' : response.status === 503 ? 'tooMany' : null;
    if (response.ok) {
      const next = await response.json();
      if (next.replay) showRecording(next);
      else connect();
      return;
    }
  } catch {
    problem = null; // not there yet
  }
  showStatus();
  setTimeout(retry, RETRY_MILLIS);
}

function greet(next) {
  if (hello && hello.started !== next.started) {
    tourIds.clear();
    tourTurns.showOnly(null);
    turns.clear();
    tourTurns.clear();
    earlier = [];
  }
  hello = next;
  problem = null;
  useLimits(hello.limits);
  showEngine();
  showPanels(hello.panels);
  charts.replace(hello.points);
  tour.control = hello.control;
  showLimits();
  tour.texts();
}

function showEngine() {
  if (!hello) return;
  setText(find('engine'), engineName(hello.engine));
  find('engine').title = engineName(hello.engine);
}

function showRecording(next) {
  hello = next;
  tabs = REPLAY_TABS;
  for (const id of ['tab-tour', 'range-card', 'charts', 'limits-card', 'rhythm']) find(id).hidden = true;
  find('scenario-card').hidden = false;
  showEngine();
  find('tab-server').dataset.text = 'tabScenario';
  find('turns-title').dataset.text = 'replayTurnsTitle';
  showSteps(next.replay.loops, number => replay.time(number));
  replay.start(next.replay);
  if (!find('panel-tour').hidden) {
    find('panel-tour').hidden = true;
    selectTab('lists');
  }
  texts();
}

// Shows a state: the newest of a server that runs, or that after a step of a recorded run.
function receive(next) {
  tick = next;
  arrivedAt = Date.now();
  if (replay.active) earlier = [];
  earlier.push(next);
  while (earlier.length > 2 && next.time - earlier[1].time >= RATES_OVER_MILLIS) earlier.shift();
  if (next.point) charts.add(next.point);
  if (next.panels) showPanels(next.panels);
  useUrgent(next.lists.exceptional.count > 0);
  followTour(next.tour);
  const listener = next.lists.readable.listeners[0];
  if (listener && listener !== tour.server) {
    tour.server = listener;
    tour.texts();
  }
  show();
  if (next.point || next.pause.paused || replay.active) refreshTable();
  detail.follow(next.control, replay.active);
}

// Marks the tour's client, and shows what happens to it in the tour's log.
function followTour(id) {
  if (id && !tourIds.has(id)) {
    tourIds.clear();
    tourIds.add(id);
    tourTurns.showOnly(tourIds);
    find('tour-turns-title').dataset.text = 'tourLog';
    setText(find('tour-turns-title'), t('tourLog'));
  }
  tour.connected(Boolean(id));
}

function showPanels(next) {
  panels.show(next);
  tabs = [...LIVE_TABS, ...panels.names];
  if (panels.names.includes(wanted)) selectTab(wanted);
  else if (!tabs.some(name => !find(`panel-${name}`).hidden)) selectTab('lists');
}

function refreshTable() {
  if (!find('panel-clients').hidden) clients.refresh();
}

// ---- showing

function show() {
  if (!tick) return;
  const last = turns.turns[0]?.number ?? 0;
  const newTurns = replay.active ? tick.turns.slice(-1) : tick.turns.filter(turn => turn.number > last);
  lists.show(tick.lists, newTurns, tick.listeners);
  tourLists.show(tick.lists, newTurns, tick.listeners);
  if (replay.active) {
    turns.replace(tick.turns);
  } else {
    turns.add(tick.turns, tick.pause.paused);
    tourTurns.add(tick.turns, tick.pause.paused);
  }
  showSummary();
  showClosed(find('closed'), tick.closed);
  showLoops();
  showControl();
  showStatus();
}

function sum(loops, name) {
  return loops.reduce((total, loop) => total + loop[name], 0);
}

function showSummary() {
  const first = earlier[0];
  const span = Math.max(0.001, (tick.time - first.time) / 1000);
  const rate = (now, then) => earlier.length > 1 ? Math.max(0, now - then) / span : 0;
  const turnRate = rate(sum(tick.loops, 'turns'), sum(first.loops, 'turns'));
  const completions = rate(sum(tick.loops, 'completions'), sum(first.loops, 'completions'));
  const values = replay.active ? recordedValues() : [
    ['clients', String(tick.totals.connections), ''],
    ['messagesIn', count(rate(tick.totals.messagesIn, first.totals.messagesIn)), t('perSecond')],
    ['bytesIn', bytes(rate(tick.totals.bytesIn, first.totals.bytesIn)), t('perSecond')],
    ['bytesOut', bytes(rate(tick.totals.bytesOut, first.totals.bytesOut)), t('perSecond')],
    ['slowClients', String(tick.totals.slow), ''],
    ['turns', count(turnRate), t('perSecond')],
    ['ready', turnRate > 0 ? count(completions / turnRate) : '–', ''],
  ];
  const parent = find('summary');
  if (parent.children.length !== values.length) {
    parent.replaceChildren(...values.map(() => element('div', {}, element('dt'), element('dd', {}, element('span'), element('small')))));
  }
  values.forEach(([name, value, unit], index) => {
    const [term, data] = parent.children[index].children;
    setText(term, t(name));
    setText(data.firstElementChild, value);
    setText(data.lastElementChild, unit ? ` ${unit}` : '');
  });
  if (!replay.active) {
    find('rhythm').hidden = tick.pause.paused;
    if (earlier.length > 1) showRhythm(find('rhythm'), tick.loops, first.loops, span);
  }
}

// What is told of a recorded run, in which rates mean nothing.
function recordedValues() {
  const {totals} = tick;
  return [['time', simulated(tick.nanos), ''], ['clients', String(totals.connections), ''], ['messagesIn', count(totals.messagesIn), ''],
    ['bytesIn', bytes(totals.bytesIn), ''], ['bytesOut', bytes(totals.bytesOut), ''], ['ends', count(totals.closed), '']];
}

function showControl() {
  find('control').hidden = !tick.control;
  find('pause').hidden = tick.pause.paused;
  find('step').hidden = !tick.pause.paused;
  find('resume').hidden = !tick.pause.paused;
  find('step').disabled = !tick.loops.some(loop => loop.standing);
}

function showStatus() {
  const status = find('status');
  if (replay.active) {
    status.className = `status ${gone ? 'lost' : 'recorded'}`;
    setText(status, t(gone ? 'replayGone' : 'replayStatus'));
    find('notice').hidden = !problem;
    setText(find('notice'), problem ? t(problem) : '');
    return;
  }
  const silent = Date.now() - arrivedAt;
  const isOpen = events?.readyState === EventSource.OPEN;
  const isLive = isOpen && tick && silent < STALE_AFTER_MILLIS;
  status.className = `status ${isLive ? 'live' : isOpen || !tick ? '' : 'lost'}`;
  setText(status, isLive ? t(tick.pause.paused ? 'paused' : 'live') : isOpen && tick ? t('stale', seconds(silent / 1000)) : t(tick ? 'lost' : 'connecting'));
  const stuck = isLive && !tick.pause.paused && tick.time - earlier[0].time >= STUCK_MILLIS ? stuckLoop(tick.loops, earlier[0].loops) : null;
  const notice = problem ? t(problem) : isLive && tick.pause.paused ? t('pausedNotice', tick.totals.connections, Math.ceil(tick.pause.left / 60))
    : stuck ? t('stuckNotice', stuck.index, seconds((tick.time - earlier[0].time) / 1000, Math.floor), stuck.connections) : '';
  find('notice').hidden = !notice;
  setText(find('notice'), notice);
}

function showLimits() {
  setText(find('bars-legend'), barsLegend());
  if (hello?.limits) rowsOf(find('limits'), limitRows(hello.overflow));
}

function showLoops() {
  if (find('panel-server').hidden) return;
  const rows = tick.loops.map(loop => [loopName(loop.index), t('nClients', loop.connections), `${t('nTurns', count(loop.turns))}${
    replay.active ? '' : `${either(', ', '，')}${t('works')} ${percent(loop.workSeconds / Math.max(1e-9, loop.workSeconds + loop.waitSeconds))}`}`]);
  const memory = tick.memory;
  rows.push([t('chartQueue'), bytes(memory.queueBytes), t('queueHeld', bytes(memory.queueBytesMax))]);
  rows.push([`${t('chartMemory')}${either(', ', '，')}${t('total')}`, bytes(memory.total), '']);
  for (const [name, key, what] of memoryRows()) rows.push([name, bytes(memory[key]), what]);
  rowsOf(find('loops'), rows);
}

// ---- tabs, languages, themes, keys

function selectTab(name, focus) {
  wanted = '';
  for (const other of tabs) {
    const tab = find(`tab-${other}`);
    tab.setAttribute('aria-selected', other === name);
    tab.tabIndex = other === name ? 0 : -1;
    find(`panel-${other}`).hidden = other !== name;
  }
  if (focus) find(`tab-${name}`).focus();
  history.replaceState(null, '', `#/${name}`); // not the id of an element, to which the focus would jump
  panels.render();
  show();
  refreshTable();
}

function bindTab(name) {
  find(`tab-${name}`).addEventListener('click', () => selectTab(name));
  find(`tab-${name}`).addEventListener('keydown', event => {
    const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
    if (step) selectTab(tabs[(tabs.indexOf(name) + step + tabs.length) % tabs.length], true);
  });
}
LIVE_TABS.forEach(bindTab);

addEventListener('keydown', event => {
  if (!usesKeys() || event.target.matches('input:not([type=range])') || event.ctrlKey || event.metaKey || event.altKey || find('detail').open || find('help').open) return;
  if (event.key === '?') {
    help();
    return;
  }
  if (event.key >= '1' && event.key <= String(tabs.length)) selectTab(tabs[event.key - 1], true);
  if (event.key === '/') {
    event.preventDefault();
    selectTab('clients');
    find('filter').focus();
  }
  if (replay.active && !event.target.matches('[role=tab]') && replay.key(event)) {
    event.preventDefault();
    return;
  }
  if (tick?.control && event.key === 'p') post(tick.pause.paused ? 'api/resume' : 'api/pause');
  if (tick?.control && event.key === 's' && tick.pause.paused) post('api/step');
});

const help = () => showHelp(Boolean(tick?.control), replay.active, tabs.length);
find('help-open').addEventListener('click', help);
find('help-close').addEventListener('click', () => find('help').close());

find('pause').addEventListener('click', () => post('api/pause'));
find('step').addEventListener('click', () => post('api/step'));
find('resume').addEventListener('click', () => post('api/resume'));

function texts() {
  document.documentElement.lang = currentLanguage();
  for (const target of document.querySelectorAll('[data-text]')) setText(target, t(target.dataset.text));
  for (const target of document.querySelectorAll('[data-label]')) target.setAttribute('aria-label', t(target.dataset.label));
  for (const target of document.querySelectorAll('[data-placeholder]')) target.placeholder = t(target.dataset.placeholder);
  const other = currentLanguage() === 'zh' ? 'en' : 'zh';
  setText(find('language'), other === 'zh' ? '中文' : 'English');
  find('language').lang = other;
  lists.texts();
  tourLists.texts();
  turns.texts();
  tourTurns.texts();
  clients.texts();
  charts.render();
  panels.render();
  tour.texts();
  replay.texts();
  showEngine();
  showLimits();
  show();
  showStatus();
}

find('language').addEventListener('click', () => {
  setLanguage(currentLanguage() === 'zh' ? 'en' : 'zh');
  texts();
  refreshTable();
});

find('range').addEventListener('click', () => {
  charts.toggle();
  find('range').setAttribute('aria-pressed', charts.isMinute);
});

find('theme').addEventListener('click', () => {
  const dark = document.documentElement.dataset.theme
    ? document.documentElement.dataset.theme === 'dark'
    : matchMedia('(prefers-color-scheme: dark)').matches;
  document.documentElement.dataset.theme = dark ? 'light' : 'dark';
  try { localStorage.setItem('trivet-theme', document.documentElement.dataset.theme); } catch { /* only for this page, then */ }
});

try {
  const theme = localStorage.getItem('trivet-theme');
  if (theme) document.documentElement.dataset.theme = theme;
} catch { /* the theme of the system */ }

showTips();
texts();
const atFirst = wanted;
selectTab(LIVE_TABS.includes(atFirst) ? atFirst : 'lists');
wanted = atFirst; // it may be a panel, which is not known yet
setInterval(showStatus, 1000);
retry();
