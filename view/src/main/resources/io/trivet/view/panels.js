// The panels that the program has added: each a tab, with the most important values, tables, and further values with their meaning.
import {element, setText} from './dom.js';
import {bytes, seconds} from './format.js';
import {either} from './language.js';
import {t} from './texts.js';

const NONE = '–';

// A text is the same in both languages, or has both.
const words = text => text === null || typeof text === 'string' ? text ?? '' : either(text.en, text.zh);

function number(value, unit) {
  if (value === null) return NONE;
  if (unit === 'bytes') return bytes(value);
  return unit === 'seconds' ? seconds(value) : Number.isInteger(value) ? value.toLocaleString('en-US') : value.toFixed(1);
}

const valueText = value => value.text === null ? number(value.number, value.unit) : words(value.text);
const ofMost = value => value.max === null ? '' : t('ofMost', number(value.max, value.unit));

// Makes a parent have that many children.
function grow(parent, count, create) {
  while (parent.children.length > count) parent.lastElementChild.remove();
  while (parent.children.length < count) parent.append(create());
}

export class Panels {
  constructor(nav, main, bindTab) {
    this.nav = nav;
    this.main = main;
    this.bindTab = bindTab;
    this.panels = [];
    this.views = new Map();
  }

  get names() { return this.panels.map(panel => panel.name); }

  // Shows the newest state of all panels. Adds tabs for new ones, and removes those of panels that are gone.
  show(panels) {
    this.panels = panels;
    for (const [name, view] of this.views) {
      if (this.names.includes(name)) continue;
      view.tab.remove();
      view.section.remove();
      this.views.delete(name);
    }
    for (const panel of panels) {
      if (!this.views.has(panel.name)) this.views.set(panel.name, this.#add(panel.name));
      const view = this.views.get(panel.name);
      setText(view.tab, words(panel.title));
      view.tab.classList.toggle('marked', Boolean(words(panel.problem)));
      if (!view.section.hidden) update(view, panel);
    }
  }

  // Shows them again, in the language of now, or because another tab was selected.
  render() { this.show(this.panels); }

  #add(name) {
    const tab = element('button', {'role': 'tab', 'id': `tab-${name}`, 'aria-controls': `panel-${name}`, 'aria-selected': 'false', 'tabindex': '-1'});
    const problem = element('p', {class: 'problem', role: 'status', hidden: true});
    const lead = element('p', {class: 'lead'});
    const summary = element('dl', {class: 'summary'});
    const tables = element('div', {class: 'tables'});
    const facts = element('table', {class: 'facts stacked'});
    const details = element('section', {'class': 'card', 'aria-labelledby': `details-${name}`},
      element('div', {class: 'card-head'}, element('h2', {id: `details-${name}`})), facts);
    const section = element('section', {'id': `panel-${name}`, 'role': 'tabpanel', 'aria-labelledby': `tab-${name}`, 'hidden': true},
      problem, lead, summary, tables, details);
    this.nav.append(tab);
    this.main.append(section);
    this.bindTab(name);
    return {name, tab, section, problem, lead, summary, tables, details, facts};
  }
}

function update(view, panel) {
  const problem = words(panel.problem);
  view.problem.hidden = !problem;
  setText(view.problem, problem);
  const lead = words(panel.lead);
  view.lead.hidden = !lead;
  setText(view.lead, lead);
  view.summary.hidden = panel.summary.length === 0;
  grow(view.summary, panel.summary.length, () => element('div', {}, element('dt'), element('dd', {}, element('span'), element('small'))));
  panel.summary.forEach((value, index) => {
    const tile = view.summary.children[index];
    const [term, data] = tile.children;
    tile.title = words(value.note);
    tile.classList.toggle('marked', value.marked);
    setText(term, words(value.label));
    setText(data.firstElementChild, valueText(value));
    setText(data.lastElementChild, ofMost(value) && ` ${ofMost(value)}`);
  });
  grow(view.tables, panel.tables.length, tableCard);
  panel.tables.forEach((table, index) => updateTable(view.tables.children[index], `${view.name}-${index}`, table));
  view.details.hidden = panel.details.length === 0;
  setText(view.details.querySelector('h2'), t('panelDetails'));
  grow(view.facts, panel.details.length, () => element('tr', {}, element('th', {scope: 'row'}), element('td'), element('td')));
  panel.details.forEach((value, index) => {
    const row = view.facts.children[index];
    row.classList.toggle('marked', value.marked);
    setText(row.children[0], words(value.label));
    setText(row.children[1], `${valueText(value)}${ofMost(value) && ` ${ofMost(value)}`}`);
    setText(row.children[2], words(value.note));
  });
}

function tableCard() {
  return element('section', {class: 'card'}, element('div', {class: 'card-head'}, element('h2')), element('p', {class: 'quiet note'}),
    element('div', {class: 'wide', role: 'region', tabindex: '0'}, element('table', {class: 'grid'}, element('thead', {}, element('tr')), element('tbody'))),
    element('p', {class: 'empty'}), element('p', {class: 'more'}));
}

function updateTable(card, id, table) {
  const [head, note, wide, empty, more] = card.children;
  head.firstElementChild.id = `table-${id}`;
  card.setAttribute('aria-labelledby', `table-${id}`);
  wide.setAttribute('aria-labelledby', `table-${id}`);
  setText(head.firstElementChild, words(table.title));
  setText(note, words(table.note));
  note.hidden = !words(table.note);
  wide.hidden = table.rows.length === 0;
  empty.hidden = table.rows.length > 0;
  setText(empty, words(table.empty));
  more.hidden = table.leftOut === 0;
  setText(more, t('rowsLeftOut', table.leftOut));
  const columns = wide.querySelector('thead tr');
  grow(columns, table.columns.length, () => element('th', {scope: 'col'}));
  // A column whose cells are numbers is aligned on the right.
  const isNumber = table.columns.map((_, column) => table.rows.every(row => row.cells[column] === null || typeof row.cells[column] === 'number'));
  table.columns.forEach((column, index) => {
    setText(columns.children[index], words(column.label));
    columns.children[index].className = isNumber[index] ? 'number' : '';
  });
  const body = wide.querySelector('tbody');
  grow(body, table.rows.length, () => element('tr'));
  table.rows.forEach((row, index) => {
    const line = body.children[index];
    line.className = row.marked ? 'marked' : '';
    if (line.children.length !== row.cells.length) {
      line.replaceChildren(...row.cells.map((_, column) => column === 0 ? element('th', {scope: 'row'}) : element('td')));
    }
    row.cells.forEach((cell, column) => {
      const target = line.children[column];
      target.className = isNumber[column] ? 'number' : '';
      target.dataset.label = words(table.columns[column].label);
      setText(target, cell === null || typeof cell === 'number' ? number(cell, table.columns[column].unit) : words(cell));
    });
  });
}
