// The dialog with the keys of the page, and the words that it uses.
import {element, find, setText} from './dom.js';
import {either} from './language.js';
import {t} from './texts.js';

const KEYS = [
  ['/', 'go to the filter of the clients', '转到客户端的筛选框'],
  ['↑ ↓', 'move in the table of clients', '在客户端表格中移动'],
  ['Enter', 'open a client', '打开一个客户端'],
  ['?', 'this window', '此窗口'],
];
const CONTROL_KEYS = [
  ['p', 'pause the loop, and continue', '暂停循环、继续'],
  ['s', 'run the next turn while the loop is paused', '循环暂停时运行下一轮'],
];
const REPLAY_KEYS = [
  ['← →', 'the step before and after (also s)', '上一步、下一步（也可用 s）'],
  ['Home End', 'the first and the last step', '第一步、最后一步'],
  ['p', 'play, and stop', '播放、停止'],
  ['f', 'the step in which the run fails', '运行失败的那一步'],
];
const WORDS = [
  ['peer', '对方', 'The other side of a connection: here, the client.', '连接的另一端：这里就是客户端。'],
  ['turn', '轮', 'One round of the loop: it waits in the kernel until sockets are ready, and serves these.', '循环的一圈：在内核中等待套接字就绪，然后处理它们。'],
  ['ready', '就绪', 'The next call on the socket will not block. “Ready per turn” is how many sockets were served in a turn, on average.', '在该套接字上的下一次调用不会阻塞。“每轮就绪套接字数”是平均每轮处理的套接字个数。'],
  ['handler', '处理程序', 'The part of the program that receives the messages and answers them.', '程序中接收消息并作出回复的部分。'],
  ['queue', '队列', 'Messages for one client that the kernel has not accepted yet, because the socket’s buffer is full.', '发给一个客户端、但因套接字缓冲区已满而内核尚未收下的消息。'],
  ['high mark, low mark', '高水位、低水位', 'At the high mark of its queue, a client is not read any more. At the low mark, reading continues. The maximum of the queue is a limit of its own.', '队列到达高水位时不再读取该客户端；降到低水位时恢复读取。队列上限是另一个限制。'],
  ['write timeout', '写超时', 'If bytes wait for a client and it accepts none for so long, it is disconnected with a reset.', '如果有数据待发送，而客户端这么久未接收任何数据，就以重置断开。'],
  ['slow', '慢', 'slowWhy'],
  ['end of input', '输入结束', 'The peer has closed its sending side (EOF). It may still receive.', '对方已关闭发送端（EOF），但可能仍在接收。'],
  ['backlog', 'backlog', 'The kernel’s queue of clients that have connected and that the server has not accepted yet.', '内核中已连接、但服务器尚未接受的客户端的队列。'],
  ['--urgent', '--urgent', 'An option of trivet serve: TCP urgent data is watched. Then a socket that is read is in xlist as well.', 'trivet serve 的选项：监视 TCP 紧急数据。此时被读取的套接字也在 xlist 中。'],
];

// Keys of one character are easily pressed by accident, and by voice input, so they can be switched off (WCAG 2.1.4).
let keysAreOn = true;
try {
  keysAreOn = localStorage.getItem('trivet-keys') !== 'off';
} catch { /* without storage they are on */ }

export const usesKeys = () => keysAreOn;

function switchKeys(event) {
  keysAreOn = event.target.checked;
  try { localStorage.setItem('trivet-keys', keysAreOn ? 'on' : 'off'); } catch { /* only for this page, then */ }
}

// Shows the dialog, with the keys that work now.
export function showHelp(hasControl, isReplay, tabCount) {
  const rows = [[`1 – ${tabCount}`, 'change the page', '切换页面'], ...KEYS, ...isReplay ? REPLAY_KEYS : hasControl ? CONTROL_KEYS : []];
  const keys = element('dl', {class: 'words'}, ...rows.flatMap(([key, en, zh]) => [element('dt', {}, element('kbd', {}, key)), element('dd', {}, either(en, zh))]));
  const words = element('dl', {class: 'words'}, ...WORDS.flatMap(([en, zh, what, whatZh]) =>
    [element('dt', {}, either(en, zh)), element('dd', {}, whatZh ? either(what, whatZh) : t(what))]));
  setText(find('help-title'), t('help'));
  find('help-body').replaceChildren(element('h3', {}, t('helpKeys')), keys,
    element('label', {}, element('input', {type: 'checkbox', id: 'keys-on', checked: keysAreOn, onchange: switchKeys}), ' ',
      either('Single-character shortcuts', '使用单字符按键')), element('h3', {}, t('helpWords')), words);
  if (!find('help').open) find('help').showModal();
}
