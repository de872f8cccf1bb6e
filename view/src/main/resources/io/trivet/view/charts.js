// Charts of the last ten minutes, a point a second.
import {element, setText, svg} from './dom.js';
import {bytes, count, seconds} from './format.js';
import {t} from './texts.js';

const POINTS_MAX = 600;
const SECONDS_MIN = 60;
const MINUTE_MILLIS = 60_000;
const WIDTH = 600;
const HEIGHT = 110;
const CHARTS = [
  {title: 'chartConnections', format: count, series: [['connections', 'seriesClients']]},
  {title: 'chartMessages', format: count, series: [['messagesIn', 'seriesIn'], ['messagesOut', 'seriesOut']]},
  {title: 'chartBytes', format: bytes, series: [['bytesIn', 'seriesIn'], ['bytesOut', 'seriesOut']]},
  {title: 'chartQueue', format: bytes, series: [['queueBytes', 'seriesQueue']]},
  {title: 'chartTrouble', format: count, series: [['trouble', 'seriesRefused'], ['dropped', 'seriesDropped']]},
  {title: 'chartMemory', format: bytes, series: [['memory', 'seriesMemory']]},
];

export class Charts {
  constructor(parent) {
    this.points = [];
    this.isMinute = false;
    this.charts = CHARTS.map(chart => this.#chart(chart, parent));
  }

  #chart(chart, parent) {
    const title = element('h2');
    const max = element('span', {class: 'quiet'});
    const legend = element('div', {class: 'now'});
    const paths = chart.series.map((_, index) => svg('path', {class: index === 0 ? 'first' : 'second'}));
    const drawing = svg('svg', {'viewBox': `0 0 ${WIDTH} ${HEIGHT}`, 'preserveAspectRatio': 'none', 'role': 'img', 'aria-hidden': 'true'},
      ...[0, HEIGHT / 2, HEIGHT].map(y => svg('path', {class: 'grid', d: `M0 ${y}H${WIDTH}`})), ...paths);
    const axis = element('div', {class: 'axis'}, element('span'), element('span'));
    parent.append(element('section', {class: 'card chart'}, element('div', {class: 'card-head'}, title, max), legend, drawing, axis));
    return {...chart, titleElement: title, max, legend, paths, axis};
  }

  // Shows the last minute only, or all; each scaled by what is shown.
  toggle() {
    this.isMinute = !this.isMinute;
    this.render();
  }

  replace(points) {
    this.points = points.slice(-POINTS_MAX);
    this.render();
  }

  add(point) {
    this.points.push(point);
    if (this.points.length > POINTS_MAX) this.points.shift();
    this.render();
  }

  render() {
    const newest = this.points.at(-1);
    const end = newest ? newest.time : 0;
    const points = this.isMinute ? this.points.filter(point => point.time >= end - MINUTE_MILLIS) : this.points;
    // A young server's chart is wider than its history, but not by much.
    const span = Math.min(POINTS_MAX, Math.max(SECONDS_MIN, newest ? (end - points[0].time) / 1000 : 0));
    for (const chart of this.charts) {
      const value = (point, name) => name === 'trouble' ? point.refused + point.cut : point[name];
      const most = niceMax(Math.max(0, ...points.flatMap(point => chart.series.map(([name]) => value(point, name)))), chart.format === bytes);
      setText(chart.titleElement, t(chart.title));
      setText(chart.max, t('axis', chart.format(most)));
      setText(chart.axis.firstElementChild, t('ago', seconds(span)));
      setText(chart.axis.lastElementChild, t('now'));
      chart.legend.replaceChildren(...chart.series.map(([name, text], index) => element('span', {class: index === 0 ? 'first' : 'second'},
        `${t(text)} ${newest ? chart.format(value(newest, name)) : '–'}`)));
      chart.series.forEach(([name], index) => chart.paths[index].setAttribute('d', line(points, point => value(point, name), end, span, most)));
    }
  }
}

function line(points, value, end, span, most) {
  let path = '';
  let before = null;
  for (const point of points) {
    const x = WIDTH - (end - point.time) / 1000 / span * WIDTH;
    const y = HEIGHT - value(point) / most * HEIGHT;
    path += `${before !== null && point.time - before < 5000 ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`;
    before = point.time;
  }
  return path;
}

// The next of 1, 2, 5, 10, … or of 1, 2, 4, … KiB.
function niceMax(value, isBytes) {
  if (value <= 0) return isBytes ? 1024 : 1;
  if (isBytes) return 2 ** Math.ceil(Math.log2(Math.max(value, 1024)));
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map(step => step * power).find(step => step >= value);
}

export function spark(values) {
  const most = Math.max(1, ...values);
  const step = 300 / Math.max(1, values.length - 1);
  const path = values.map((value, index) => `${index === 0 ? 'M' : 'L'}${(index * step).toFixed(1)} ${(44 - value / most * 40).toFixed(1)}`).join('');
  return svg('svg', {'class': 'spark', 'viewBox': '0 0 300 48', 'preserveAspectRatio': 'none', 'aria-hidden': 'true'}, svg('path', {d: path}));
}
