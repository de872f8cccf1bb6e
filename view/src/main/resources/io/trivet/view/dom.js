// Builds elements. Whatever a peer has sent gets into the page only as text.

export const find = id => document.getElementById(id);

// element('button', {class: 'primary', onclick: go}, 'text', otherElement)
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, '');
    else if (value !== false && value != null) made.setAttribute(key, value);
  }
  made.append(...children.filter(child => child != null));
  return made;
}

export function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

export function bar(share, isHigh) {
  const fill = element('i', isHigh ? {class: 'high'} : {});
  fill.style.width = `${Math.min(100, share * 100)}%`;
  return element('div', {class: 'bar'}, fill);
}

// Shows how full a queue is, in a bar: the left half is up to the high mark, the right half from there to the maximum.
export function showQueue(target, bytes, max, high, title) {
  const hasMark = high > 0 && high < max;
  const share = hasMark ? (bytes <= high ? bytes / high / 2 : 0.5 + (bytes - high) / (max - high) / 2) : bytes / Math.max(1, max);
  target.firstElementChild.style.width = `${Math.min(100, share * 100)}%`;
  target.firstElementChild.className = bytes >= (hasMark ? high : max * 0.75) ? 'high' : '';
  target.classList.toggle('marked', hasMark);
  target.title = title;
}

// Makes the children of a parent those with the given keys, in that order, and keeps the elements that are there already, so that
// focus, hover and animations survive.
export function reconcile(parent, items, key, create, update) {
  const before = new Map();
  for (const child of [...parent.children]) before.set(child.dataset.key, child);
  let next = parent.firstElementChild;
  for (const item of items) {
    const itemKey = String(key(item));
    let child = before.get(itemKey);
    if (child) {
      before.delete(itemKey);
    } else {
      child = create(item);
      child.dataset.key = itemKey;
    }
    if (child === next) next = next.nextElementSibling;
    else parent.insertBefore(child, next);
    update(child, item);
  }
  for (const child of before.values()) child.remove();
}

// Fills a table: in each row a name, a value, and what it means.
export function rowsOf(table, rows) {
  table.replaceChildren(...rows.map(([name, value, what]) => element('tr', {}, element('th', {scope: 'row'}, name), element('td', {}, value),
    what === undefined ? null : element('td', {}, what))));
}

export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}
