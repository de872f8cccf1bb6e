// Touch screens have no pointer that hovers: a tap on something that has a tooltip shows it at the bottom of the screen, until the next tap.
import {find, setText} from './dom.js';

// These open a window, which shows everything that the tooltip says.
const OPENS_WINDOW = 'button.member, .viewport .row';

export function showTips() {
  const tip = find('tip');
  addEventListener('pointerup', event => {
    if (event.pointerType !== 'touch') return;
    const target = event.target.closest('[title]');
    tip.hidden = !target?.title || target.matches(OPENS_WINDOW);
    setText(tip, tip.hidden ? '' : target.title);
  });
}
