// Every sentence of the page, in English and Chinese.
import {bytes, seconds} from './format.js';

const EN = {
  skip: 'Skip to the content', tabLists: 'Lists', tabClients: 'Clients', tabServer: 'Server', tabTour: 'Tour', theme: 'Light or dark',
  closeDetail: 'Close', live: 'live', paused: 'loop paused', connecting: 'connecting …', stale: s => `no news for ${s}`, lost: 'connection lost, trying again …',
  restarted: 'The server was started again and has a new token: open the address that it has printed in its line “view”.',
  tooMany: 'Too many pages watch this server. Close some of them.',
  pausedNotice: (n, s) => `The loop stands still between two turns, and ${n === 1 ? 'its one client waits' : `its ${n} clients wait`}. It continues by itself in ${s}, or when this page is closed.`,
  clients: 'clients', messagesIn: 'messages in', bytesIn: 'bytes in', bytesOut: 'bytes out', turns: 'turns', ready: 'ready per turn', perSecond: '/s',
  listsLead: 'A loop asks the kernel one question: which of these sockets are ready? It hands over three lists, sleeps until the answer comes, and serves what is ready.',
  readable: 'can I read?', writable: 'can I write?', exceptional: 'is there urgent data?',
  readableMeaning: 'Ready when data, the end of input, a new client or an error is waiting.',
  writableMeaning: 'Ready when the socket’s buffer has room. Only sockets with bytes left to send are here.',
  exceptionalMeaning: 'Ready when TCP urgent data is waiting. Errors do not show up here.',
  readableEmpty: 'No socket: nothing is read from anyone.', writableEmpty: 'No socket: everything that was sent has fitted into the sockets’ buffers.',
  exceptionalEmpty: 'No socket: no client is watched for urgent data. That needs trivet serve --urgent.', noneTitle: 'in none of the lists',
  noneMeaning: 'The loop waits for nothing from these sockets now.',
  listener: 'listening socket', listenerWhy: 'Ready when a new client waits to be accepted.', more: n => `and ${n} more: see Clients`,
  turnsTitle: 'What the loop does', closedTitle: 'Gone', noClosed: 'No client has left yet.', noTurns: 'Nothing has happened since this page was opened. The loop sleeps in the kernel.',
  pause: 'Pause', step: 'Next turn', resume: 'Continue', waits: 'waits in the kernel', works: 'works',
  turn: n => `turn ${n}`, slept: s => `slept ${s}`, worked: s => `worked ${s}`, nothing: 'Nothing was ready: the timeout expired, or another thread woke the loop.', moreEvents: n => `… and ${n} more`,
  filter: 'Filter', filterHint: 'Filter: an address, a state, wlist, tls …', matching: (n, all) => n === all ? `${all} clients` : `${n} of ${all} clients`,
  noClients: 'No client is connected.', noMatch: 'No client matches.',
  colAddress: 'client', colState: 'state', colQueue: 'queue', colAge: 'oldest waits', colIn: 'in', colOut: 'out', colIdle: 'idle', colTls: 'TLS',
  plain: 'none', limitsTitle: 'Limits, and what happens at each', loopsTitle: 'Loops and memory', none: 'none',
  chartConnections: 'Clients', chartMessages: 'Messages a second', chartBytes: 'Bytes a second', chartQueue: 'Memory of queues', chartMemory: 'Native memory', chartTrouble: 'Trouble a second',
  seriesClients: 'connected', seriesIn: 'in', seriesOut: 'out', seriesQueue: 'held', seriesMemory: 'total', seriesDropped: 'dropped messages', seriesRefused: 'refused or cut clients',
  ago: s => `${s} ago`, now: 'now', close: 'Close this client', history: 'What happened lately', noHistory: 'Nothing since this page was opened.', queueChart: 'Its queue while this window is open',
  client: a => `Client ${a}`, gone: 'This client is gone', inLists: 'in the lists', sinceAtLeast: s => `for more than ${s}`, sinceFor: s => `for ${s}`,
  queueLine: (m, b, max) => `${m} ${m === 1 ? 'message' : 'messages'}, ${b} of at most ${max}`, back: 'Back', next: 'Next', tourCount: (n, all) => `Step ${n} of ${all}`, tourEnd: 'Start again',
  time: 'time since the start', ends: 'have left', replayOf: 'Recorded run:', replayWhere: (n, all, time) => `step ${n} of ${all}, after ${time}`, replayStep: n => `step ${n}`,
  replayFirst: 'First step', replayBack: 'Back', replayNext: 'Next step', replayLast: 'Last step', replayPlay: 'Play', replayStop: 'Stop', replayToFailure: 'To the failure',
  replayTimeline: 'Timeline', replayStatus: 'recorded run', replayGone: 'the program that shows this run has ended', replayTurnsTitle: 'What happened, the newest first',
  replayFailedHere: 'the run fails here', replayFails: n => `The run fails at step ${n}`, replayEnd: 'The recording ends.',
  replayLeftOut: (from, to) => `The run was long: steps ${from} to ${to} are left out.`, moreLines: n => `… and ${n} more lines`, meanwhile: 'Before it, in the log of the run:',
  markOpened: 'joins', markClosed: 'leaves', markFull: 'its socket or queue is full', markFault: 'fault', tabScenario: 'Scenario', scenarioTitle: 'The run',
  confirmClose: 'Press again to close', total: 'total', wasReset: 'the peer got a reset', endOf: s => `${s} ago`,
};

const ZH = {
  skip: '跳到内容', tabLists: '三个列表', tabClients: '客户端', tabServer: '服务器', tabTour: '导览', theme: '浅色或深色', closeDetail: '关闭',
  live: '实时', paused: '循环已暂停', connecting: '正在连接…', stale: s => `${s}没有新数据`, lost: '连接已断开，正在重试…',
  restarted: '服务器已重新启动，令牌已更换：请打开它在 view 一行中打印的地址。', tooMany: '打开的页面太多，请关闭一些。',
  pausedNotice: (n, s) => `循环停在两轮之间，${n} 个客户端在等待。${s}后，或关闭此页面时，它会自动继续。`,
  clients: '客户端', messagesIn: '收到消息', bytesIn: '收到字节', bytesOut: '发出字节', turns: '轮', ready: '每轮就绪', perSecond: '/秒',
  listsLead: '循环只问内核一个问题：这些套接字里哪些已经就绪？它交出三个列表，睡到答案到来，然后处理就绪的套接字。',
  readable: '可以读吗？', writable: '可以写吗？', exceptional: '有紧急数据吗？',
  readableMeaning: '有数据、输入结束、新客户端或错误时就绪。', writableMeaning: '套接字缓冲区有空间时就绪。只有还有数据没发完的套接字在这里。',
  exceptionalMeaning: '有 TCP 紧急数据时就绪。错误不会出现在这里。',
  readableEmpty: '没有套接字：现在不读任何人的数据。', writableEmpty: '没有套接字：要发的数据都已放进套接字缓冲区。',
  exceptionalEmpty: '没有套接字：没有客户端被监视紧急数据。这需要 trivet serve --urgent。', noneTitle: '不在任何列表中', noneMeaning: '循环现在不等待这些套接字。',
  listener: '监听套接字', listenerWhy: '有新客户端等待接受时就绪。', more: n => `还有 ${n} 个：见“客户端”`,
  turnsTitle: '循环在做什么', closedTitle: '已离开', noClosed: '还没有客户端离开。', noTurns: '打开此页面以来什么都没有发生。循环睡在内核里。',
  pause: '暂停', step: '下一轮', resume: '继续', waits: '在内核中等待', works: '工作', turn: n => `第 ${n} 轮`, slept: s => `睡了 ${s}`, worked: s => `工作 ${s}`,
  nothing: '没有就绪的套接字：超时到了，或被另一个线程唤醒。', moreEvents: n => `…另有 ${n} 件`,
  filter: '筛选', filterHint: '筛选：地址、状态、wlist、tls…', matching: (n, all) => n === all ? `${all} 个客户端` : `${all} 个客户端中的 ${n} 个`,
  noClients: '没有客户端连接。', noMatch: '没有符合的客户端。', colAddress: '客户端', colState: '状态', colQueue: '队列', colAge: '最久等待', colIn: '收到', colOut: '发出', colIdle: '空闲', colTls: 'TLS',
  plain: '无', limitsTitle: '限制，以及达到时会发生什么', loopsTitle: '循环与内存', none: '无',
  chartConnections: '客户端', chartMessages: '每秒消息', chartBytes: '每秒字节', chartQueue: '队列占用的内存', chartMemory: '本机内存', chartTrouble: '每秒异常',
  seriesClients: '已连接', seriesIn: '收到', seriesOut: '发出', seriesQueue: '占用', seriesMemory: '总计', seriesDropped: '丢弃的消息', seriesRefused: '拒绝或切断的客户端',
  ago: s => `${s}前`, now: '现在', close: '关闭此客户端', history: '最近发生的事', noHistory: '打开此页面以来没有。', queueChart: '此窗口打开期间的队列',
  client: a => `客户端 ${a}`, gone: '此客户端已离开', inLists: '所在列表', sinceAtLeast: s => `超过 ${s}`, sinceFor: s => `已 ${s}`,
  queueLine: (m, b, max) => `${m} 条消息，${b}，上限 ${max}`, back: '上一步', next: '下一步', tourCount: (n, all) => `第 ${n} 步，共 ${all} 步`, tourEnd: '重新开始',
  time: '开始以来的时间', ends: '已离开', replayOf: '录制的运行：', replayWhere: (n, all, time) => `第 ${n} 步，共 ${all} 步，${time} 之后`, replayStep: n => `第 ${n} 步`,
  replayFirst: '第一步', replayBack: '上一步', replayNext: '下一步', replayLast: '最后一步', replayPlay: '播放', replayStop: '停止', replayToFailure: '到失败处',
  replayTimeline: '时间轴', replayStatus: '录制的运行', replayGone: '显示此运行的程序已结束', replayTurnsTitle: '发生了什么（最新的在前）',
  replayFailedHere: '运行在此失败', replayFails: n => `运行在第 ${n} 步失败`, replayEnd: '录制到此结束。',
  replayLeftOut: (from, to) => `运行很长：第 ${from} 到 ${to} 步被省略。`, moreLines: n => `…另有 ${n} 行`, meanwhile: '此前，运行日志中：',
  markOpened: '加入', markClosed: '离开', markFull: '套接字或队列已满', markFault: '故障', tabScenario: '场景', scenarioTitle: '此次运行',
  confirmClose: '再按一次以关闭', total: '总计', wasReset: '对方收到了重置', endOf: s => `${s}前`,
};

const STATES = {
  CONNECTING: ['connecting', '正在建立'], OPEN: ['open', '已打开'], INPUT_ENDED: ['peer finished', '对方已结束发送'], DRAINING: ['finishing', '正在收尾'],
  LINGERING: ['lingering', '等待对方结束'], CLOSED: ['closed', '已关闭'],
};

const READ_STATES = {
  READING: ['we read what it sends', '正在读取它发送的数据'], RELAYING: ['its input is relayed', '它的输入正被转发'],
  READING_TO_END: ['our output has ended; the rest is read and dropped', '我方输出已结束，其余输入读出后丢弃'],
  HANDSHAKING: ['TLS handshake', 'TLS 握手中'], AWAITING_PROXY_HEADER: ['its proxy has yet to send the PROXY header', '代理尚未发送 PROXY 头'],
  CONNECTING: ['connecting: writable when it has connected', '正在连接：连上时变为可写'], CONNECTING_BY_NAME: ['its host name is being looked up', '正在查找主机名'],
  DRAINING: ['not read: it ends when its queue is sent', '不再读取：队列发完后结束'],
  PAUSED_BY_QUEUE: ['reading is paused: its queue was above the high mark', '暂停读取：它的队列超过了高水位'],
  PAUSED_BY_APPLICATION: ['reading is paused by the application', '应用程序暂停了读取'], PAUSED_BY_SESSION: ['reading is paused: its session has messages left', '暂停读取：会话还有未取的消息'],
  PAUSED_BY_RELAY: ['reading is paused: the target of its relay is full', '暂停读取：转发目标已满'],
  DELIVERY_PENDING: ['more messages are left: the other clients come first', '还有消息：先轮到其他客户端'],
  INPUT_ENDED: ['nothing to read: the peer has finished', '没有可读的：对方已结束发送'], CLOSED: ['closed', '已关闭'],
};

const REASONS_ZH = {
  PEER_FINISHED: '对方已结束', FINISHED: '应用程序结束了连接', CLOSED: '应用程序关闭了连接', DRAINED: '服务器正在排空', SERVER_CLOSED: '服务器已关闭', RESET: '被对方重置',
  FAILED: '系统调用失败', CONNECT_FAILED: '连接失败', CONNECT_TIMEOUT: '连接超时', QUEUE_FULL: '发送队列已满', BUDGET_EXCEEDED: '全部内存用尽时它占用最多',
  WRITE_TIMEOUT: '对方太久没有接收数据', IDLE_TIMEOUT: '空闲太久', MESSAGE_TIMEOUT: '一条消息花了太久', FIRST_MESSAGE_TIMEOUT: '第一条消息花了太久', MESSAGE_TOO_LONG: '消息太长',
  PROTOCOL_ERROR: '违反了协议', HANDSHAKE_FAILED: 'TLS 握手失败', HANDSHAKE_TIMEOUT: 'TLS 握手太久', TRUNCATED: 'TLS 流被切断', HANDLER_FAILED: '处理程序失败',
  TRANSFER_FAILED: '传输或转发被切断', TOO_MANY_FROM_ADDRESS: '该地址的连接太多', ADDRESS_DENIED: '访问列表拒绝该地址', SPINNING: '它使循环空转',
};

export const ORDERLY = new Set(['PEER_FINISHED', 'FINISHED', 'DRAINED', 'CLOSED', 'SERVER_CLOSED']);

let language = 'en';
try {
  language = localStorage.getItem('trivet-language') || (navigator.language.startsWith('zh') ? 'zh' : 'en');
} catch { /* without storage the language is that of the browser */ }

export function currentLanguage() { return language; }

export function setLanguage(next) {
  language = next;
  try { localStorage.setItem('trivet-language', next); } catch { /* only for this page, then */ }
}

const pick = pair => pair ? pair[language === 'zh' ? 1 : 0] : '';

export function t(key, ...values) {
  const text = (language === 'zh' ? ZH : EN)[key] ?? EN[key];
  return typeof text === 'function' ? text(...values) : text;
}

export const stateName = state => pick(STATES[state]) || state;

export function endReason(end) {
  const reason = language === 'zh' ? REASONS_ZH[end.reason] ?? end.description : end.description;
  return end.failure ? `${reason}: ${end.failure}` : reason;
}

// Why a socket is in a list, in a sentence.
export function why(list, row) {
  if (list === 'writable') return whyWritten(row);
  if (list === 'exceptional') return language === 'zh' ? '监视它的紧急字节' : 'watched for urgent bytes';
  return pick(READ_STATES[row.readState]) || row.reason;
}

function whyWritten(row) {
  if (row.state === 'CONNECTING') return pick(READ_STATES[row.readState]);
  const parts = [];
  if (row.queueBytes > 0) parts.push(language === 'zh' ? `${bytes(row.queueBytes)} 在等待` : `${bytes(row.queueBytes)} wait`);
  else parts.push(language === 'zh' ? '一次发送尚未完成' : 'a send is not complete');
  if (row.timesFull > 0) {
    parts.push(language === 'zh' ? `套接字满了 ${row.timesFull} 次` : `its socket was full ${row.timesFull === 1 ? 'once' : `${row.timesFull} times`}`);
  }
  if (row.sinceProgress >= 1) {
    const limit = row.writeTimeout > 0 ? ` (${language === 'zh' ? '上限' : 'limit'} ${seconds(row.writeTimeout)})` : '';
    parts.push((language === 'zh' ? `${seconds(row.sinceProgress)}没有接收任何数据` : `it has accepted nothing for ${seconds(row.sinceProgress)}`) + limit);
  }
  const waiting = parts.join(language === 'zh' ? '，' : ', ');
  const isPaused = row.readState.startsWith('PAUSED');
  return isPaused ? `${waiting}${language === 'zh' ? '；' : '; '}${pick(READ_STATES[row.readState])}` : waiting;
}

// What happened, in words that a beginner understands.
export function eventText(event) {
  const who = event.address ?? (event.id ? `#${event.id}` : '');
  const n = event.amount;
  const zh = language === 'zh';
  switch (event.kind) {
    case 'ACCEPTED': return zh ? '监听套接字可读：有客户端在等待。accept 取得了它的套接字。' : 'The listening socket was readable: a client was waiting. accept() returned a socket for it.';
    case 'OPENED': return zh ? `${who} 加入 rlist：从现在起监视它。` : `${who} joins rlist: from now on the loop watches it.`;
    case 'RECEIVED': return zh ? `${who} 可读：收到 ${bytes(n)}。` : `${who} was readable: ${bytes(n)} received.`;
    case 'DELIVERED': return zh ? `${who}：${n} 条消息交给处理程序。` : `${who}: ${n === 1 ? 'one message was' : `${n} messages were`} given to the handler.`;
    case 'SENT': return zh ? `${who}：内核接收了要发送的 ${bytes(n)}。` : `${who}: the kernel accepted ${bytes(n)} to send.`;
    case 'SOCKET_FULL': return zh ? `${who} 的缓冲区已满：${bytes(n)} 在队列中等待，它加入 wlist。` : `The buffer of ${who} is full: ${bytes(n)} wait in its queue, and it joins wlist.`;
    case 'WRITABLE': return zh ? `${who} 可写：缓冲区又有空间了。` : `${who} was writable: its buffer has room again.`;
    case 'QUEUE_HIGH': return zh ? `${who} 的队列到达了高水位（现有 ${bytes(n)}）：暂停读取，它离开 rlist。` : `The queue of ${who} has reached its high mark (${bytes(n)} now): reading stops, and it leaves rlist.`;
    case 'QUEUE_LOW': return zh ? `${who} 的队列降到低水位：恢复读取，它回到 rlist。` : `The queue of ${who} is down at its low mark: reading continues, and it is back in rlist.`;
    case 'DROPPED': return zh ? `${who}：丢弃了 ${n} 条最旧的消息。` : `${who}: its ${n === 1 ? 'oldest message was' : `${n} oldest messages were`} dropped.`;
    case 'URGENT': return zh ? `${who} 有紧急数据：字节 ${n}（${String.fromCharCode(n)}）。` : `${who} had urgent data: the byte ${n} (${String.fromCharCode(n)}).`;
    case 'INPUT_ENDED': return zh ? `${who} 可读，但读到的是空：对方结束了发送。` : `${who} was readable, but the read was empty: the peer has ended its output.`;
    case 'CLOSED': return zh ? `${who} 离开所有列表：它的套接字已关闭，队列和地址都已忘记。` : `${who} leaves all lists: its socket is closed, its queue and address are forgotten.`;
    case 'TASKS': return zh ? `运行了其他线程的 ${n} 个任务。` : `${n === 1 ? 'A task' : `${n} tasks`} of other threads ran.`;
    default: return `${event.kind} ${who} ${n}`;
  }
}

export function eventClass(kind) {
  if (['ACCEPTED', 'OPENED', 'RECEIVED', 'DELIVERED', 'QUEUE_LOW'].includes(kind)) return 'read';
  if (['SENT', 'SOCKET_FULL', 'WRITABLE', 'QUEUE_HIGH'].includes(kind)) return 'write';
  return kind === 'URGENT' ? 'urgent' : kind === 'TASKS' ? '' : 'end';
}

// The limits of the server: name, value and what happens when it is reached.
export function limitRows(limits, overflow) {
  const zh = language === 'zh';
  const time = value => value > 0 ? seconds(value) : t('none');
  const full = {
    PAUSE_READING: ['at its high mark reading from the client pauses; beyond the cap it is disconnected', '达到高水位时暂停读取该客户端；超过上限时断开'],
    DROP_OLDEST: ['its oldest messages are dropped', '丢弃它最旧的消息'], DISCONNECT: ['the client is disconnected', '断开该客户端'],
  };
  const rows = [
    ['connections', '连接数', limits.connectionsMax >= 2147483647 ? t('none') : String(limits.connectionsMax), 'further clients wait in the backlog, not accepted', '更多客户端在 backlog 中等待，不被接受'],
    ['from one address', '每个地址的连接数', limits.connectionsPerAddressMax > 0 ? String(limits.connectionsPerAddressMax) : t('none'), 'a further client is closed at once', '再来的客户端立即被关闭'],
    ['queue of a client', '一个客户端的队列', bytes(limits.queueBytesMax), ...(full[overflow] ?? [overflow, overflow])],
    ['high and low mark', '高、低水位', `${bytes(limits.queueHighBytes)} / ${bytes(limits.queueLowBytes)}`, 'above high the peer counts as slow, until low', '超过高水位算慢，直到降到低水位'],
    ['memory of all queues', '全部队列的内存', bytes(limits.queueBudgetBytes), 'those that hold the most are closed', '关闭占用最多的连接'],
    ['message', '消息', bytes(limits.messageBytesMax), 'a longer message ends its connection', '更长的消息使连接结束'],
    ['a message takes', '一条消息的时间', time(limits.messageTimeout), 'the connection ends after its queue is sent', '队列发完后连接结束'],
    ['idle', '空闲', time(limits.idleTimeout), 'the connection ends', '连接结束'],
    ['a peer accepts nothing', '对方不接收', time(limits.writeTimeout), 'the connection is closed with a reset', '以重置关闭连接'],
    ['a handler runs', '处理程序运行', time(limits.handlerTimeout), 'it is logged with its stack', '连同调用栈写入日志'],
  ];
  return rows.map(([en, cn, value, enWhat, cnWhat]) => [zh ? cn : en, value, zh ? cnWhat : enWhat]);
}
