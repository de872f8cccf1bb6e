// Every sentence of the page, in English and Chinese.
import {bytes, seconds} from './format.js';
import {currentLanguage, either} from './language.js';

const EN = {
  skip: 'Skip to the content', tabLists: 'Lists', tabClients: 'Clients', tabServer: 'Server', tabTour: 'Tour', theme: 'Light or dark',
  closeDetail: 'Close', live: 'live', paused: 'loop paused', connecting: 'connecting …', stale: s => `no news for ${s}`, lost: 'connection lost, trying again …',
  restarted: 'The server was started again and has a new token: open the address that it has printed in its line “view”.',
  tooMany: 'Too many pages watch this server. Close some of them.',
  pausedNotice: (n, min) => `The loop stands still between two turns, and ${n === 1 ? 'its one client waits' : `its ${n} clients wait`}. It continues by itself ${min > 1 ? `in ${min} min` : 'within a minute'}, or when this page is closed.`,
  stuckNotice: (loop, s, n) => `Loop ${loop} has not ended its turn for at least ${s}: a handler or a task holds it. ${n === 1 ? 'Its one client waits' : `Its ${n} clients wait`} meanwhile.`, views: 'Views',
  clients: 'clients', messagesIn: 'messages in', bytesIn: 'bytes in', bytesOut: 'bytes out', turns: 'turns', ready: 'ready per turn', perSecond: '/s',
  listsLead: 'A loop asks the kernel one question: which of these sockets are ready? It hands over three lists, sleeps until the answer comes, and serves what is ready. select passes the lists each time. epoll and io_uring ask the same question, but the kernel remembers the lists, and the loop only reports what changes.',
  readable: 'can I read?', writable: 'can I write?', exceptional: 'is there urgent data?',
  readableMeaning: 'Ready when data, the end of input (the peer has closed its side), a new client or an error is waiting.',
  writableMeaning: 'Ready when the socket’s buffer has room. Only sockets with bytes left to send are here.',
  exceptionalMeaning: 'Ready when TCP urgent data is waiting. Errors do not show up here. A socket is here while it is read.',
  readableEmpty: 'No socket: nothing is read from anyone.', writableEmpty: 'No socket: everything that was sent has fitted into the sockets’ buffers.',
  exceptionalEmpty: 'No socket: no client is watched for urgent data. That needs trivet serve --urgent.', noneTitle: 'in none of the lists',
  noneMeaning: 'The loop waits for nothing from these sockets now.',
  listener: 'listening socket', listenerWhy: 'Ready when a new client waits to be accepted.', more: n => `and ${n} more: see Clients`,
  turnsTitle: 'What the loop does', closedTitle: 'Gone', noClosed: 'No client has left yet.', noTurns: 'There are no turns to show yet. Turns are recorded only while a page is open.',
  pause: 'Pause the loop', step: 'Next turn', resume: 'Continue', waits: 'waits in the kernel', works: 'works',
  turn: n => `turn ${n}`, slept: s => `slept ${s}`, worked: s => `worked ${s}`, nothing: 'Nothing was ready: the timeout expired, or another thread woke the loop.', moreEvents: n => `… and ${n} more`, turnsLeftOut: n => n === 1 ? '… one turn in between' : `… ${n} turns in between`, turnsLeftOutWhy: 'Turns are left out in which nothing happened to a client, or of which there were too many to show.',
  filter: 'Filter', filterHint: 'Filter: an address, a state, slow, wlist, paused, tls …', matching: (n, all) => n === all ? `${all} clients` : `${n} of ${all} clients`,
  noClients: 'No client is connected.', noMatch: 'No client matches.',
  colAddress: 'client', colState: 'state', colQueue: 'queue', colAge: 'oldest waits', colIn: 'in', colOut: 'out', colIdle: 'idle', colTls: 'TLS',
  plain: 'none', slow: 'slow', slowClients: 'slow clients', slowWhy: 'The client reads more slowly than the server sends. Its queue has reached the high mark, or bytes wait for it and it has accepted none for a second.', yours: 'tour’s client', noLimit: 'no limit', limitsTitle: 'Limits, and what happens at each', loopsTitle: 'Loops and memory', none: 'none',
  chartConnections: 'Clients', chartMessages: 'Messages a second', chartBytes: 'Bytes a second', chartQueue: 'Memory for messages that wait', chartMemory: 'Native memory', chartTrouble: 'Refused, cut off and dropped a second',
  seriesClients: 'connected', seriesIn: 'in', seriesOut: 'out', seriesQueue: 'held', seriesMemory: 'total', seriesDropped: 'dropped messages', seriesRefused: 'refused or cut clients',
  lastMinute: 'Only the last minute', axis: max => `axis: 0 to ${max}`, ago: s => `${s} ago`, now: 'now', close: 'Close this client', history: 'What happened lately', noHistory: 'No events are known: they are recorded only while a page is open. The lines above show what the server knows about the time before.', queueChart: 'Its queue while this window is open', historyBefore: 'Earlier events are not known: events are recorded only while a page is open, and only the latest are kept.', replayBefore: 'Earlier events of this client are not shown.',
  client: a => `Client ${a}`, gone: 'This client is gone', inLists: 'in the lists', sinceAtLeast: s => `for at least ${s}`, sinceFor: s => `for ${s}`,
  queueLine: (m, b, max) => `${m} ${m === 1 ? 'message' : 'messages'}, ${b} of at most ${max}`, queueScale: max => `scale: 0 to ${max}`, scaleHigh: high => `${high} (high mark)`,
  queueBar: (b, max, high) => `${b} wait, of at most ${max}${high ? `. The line in the middle is the high mark, ${high}, at which reading pauses` : ''}`,
  ageBar: (s, limit) => `It has accepted nothing for ${s}${limit ? ` of at most ${limit}, the write timeout` : '. There is no write timeout'}`,
  hintIn: 'Bytes received. An urgent byte is not counted.', hintOut: 'Bytes that the kernel has accepted for sending. The client may not have read them yet.', hintIdle: 'Time since a byte was last received or sent. An urgent byte counts as well.',
  hintAge: 'How long the oldest message in the queue has waited. The bar shows how long the client has accepted nothing, against the write timeout.',
  hintQueue: 'Messages that were sent by the server, and that the kernel has not accepted yet. The line in the middle of the bar is the high mark, its end the maximum.',
  barsLegend: (high, max, timeout) => `Bars: queue, from 0 ${high ? `to ${high} (high mark, in the middle) ` : ''}to ${max}${timeout ? `; time without progress, from 0 to ${timeout} (write timeout)` : ''}.`,
  marksLegend: 'R: in rlist, W: in wlist, X: in xlist.', timesFull: 'its socket was full', full: n => n === 1 ? 'once since its queue was last empty' : `${n} times since its queue was last empty`,
  notIn: list => `not in ${list}`, progress: 'it has accepted nothing', oldest: 'its oldest message waits', endTotals: (i, o) => `${i} in, ${o} out`,
  tourNotConnected: 'The tour’s client is not connected: connect it in step 2.', tourPress: b => `Press “${b}”, and watch the lists and the log.`, tourBusy: 'working …', tourSee: ' The log shows what the loop did for it.', tourLog: 'What the loop does for the tour’s client',
  help: 'Keys and words', helpKeys: 'Keys', helpWords: 'Words', queueHeld: max => `of at most ${max}; the buffers of the queues and of undelivered input, with their whole size`, loop: n => `loop ${n}`, nClients: n => n === 1 ? 'one client' : `${n} clients`, nTurns: n => `${n} turns since the start`, back: 'Back', next: 'Next', tourCount: (n, all) => `Step ${n} of ${all}`, tourEnd: 'Start again',
  time: 'time since the start', ends: 'have left', replayOf: 'Recorded run:', replayWhere: (n, all, time) => `step ${n} of ${all}, after ${time}`, replayStep: n => `step ${n}`,
  replayFirst: 'First step', replayBack: 'Back', replayNext: 'Next step', replayLast: 'Last step', replayPlay: 'Play', replayStop: 'Stop', replayToFailure: 'To the failure',
  replayTimeline: 'Timeline', replayStatus: 'recorded run', replayGone: 'the program that shows this run has ended', replayTurnsTitle: 'What happened, the newest first',
  replayFailedHere: 'the run fails here', replayFails: n => `The run fails at step ${n}`, replayEnd: 'The recording ends.',
  replayLeftOut: (from, to) => `The run was long: steps ${from} to ${to} are left out.`, moreLines: n => `… and ${n} more lines`, meanwhile: 'Before it, in the log of the run:',
  markOpened: 'joins', markClosed: 'leaves', markFull: 'its socket or queue is full', markFault: 'fault', tabScenario: 'Scenario', scenarioTitle: 'The run',
  ofMost: max => `of ${max}`, panelDetails: 'Details', rowsLeftOut: n => `and ${n} more`,
  confirmClose: 'Press again to close', total: 'total', wasReset: 'the peer got a reset', endOf: s => `${s} ago`,
};

const ZH = {
  skip: '跳到正文', tabLists: '三个列表', tabClients: '客户端', tabServer: '服务器', tabTour: '导览', theme: '浅色或深色', closeDetail: '关闭',
  live: '实时', paused: '循环已暂停', connecting: '正在连接…', stale: s => `${s}没有新数据`, lost: '连接已断开，正在重试…',
  restarted: '服务器已重新启动，令牌已更换：请打开它在 view 一行中打印的地址。', tooMany: '打开的页面太多，请关闭一些。',
  pausedNotice: (n, min) => `循环停在两轮之间，${n} 个客户端在等待。${min > 1 ? `${min} 分钟后` : '一分钟之内'}，或关闭此页面后，它会自动继续。`,
  stuckNotice: (loop, s, n) => `循环 ${loop} 的当前一轮已持续至少 ${s}，仍未结束：某个处理程序或任务占用了它。其间，它的 ${n} 个客户端都在等待。`, views: '视图',
  clients: '客户端', messagesIn: '收到消息', bytesIn: '收到字节', bytesOut: '发出字节', turns: '循环轮数', ready: '每轮就绪套接字数', perSecond: '/秒',
  listsLead: '循环只问内核一个问题：这些套接字里哪些已经就绪？它把三个列表交给内核，然后休眠，直到内核答复，再处理就绪的套接字。select 每次都要交出列表；epoll 和 io_uring 问的是同一个问题，但列表由内核记住，循环只登记变化。',
  readable: '可读？', writable: '可写？', exceptional: '有紧急数据吗？',
  readableMeaning: '有数据、输入结束（对方关闭发送，EOF）、新客户端或错误时就绪。', writableMeaning: '套接字缓冲区有空间时就绪。只有还有数据没发完的套接字在这里。',
  exceptionalMeaning: '有 TCP 紧急数据时就绪。错误不会出现在这里。套接字被读取时才在这里。',
  readableEmpty: '没有套接字：现在不读任何人的数据。', writableEmpty: '没有套接字：要发的数据都已放进套接字缓冲区。',
  exceptionalEmpty: '没有套接字：没有客户端被监视紧急数据。这需要 trivet serve --urgent。', noneTitle: '不在任何列表中', noneMeaning: '循环现在不等待这些套接字。',
  listener: '监听套接字', listenerWhy: '有新客户端等待接受时就绪。', more: n => `还有 ${n} 个：见“客户端”`,
  turnsTitle: '循环在做什么', closedTitle: '已离开', noClosed: '还没有客户端离开。', noTurns: '还没有可显示的轮。只有在页面打开时才记录各轮。',
  pause: '暂停循环', step: '下一轮', resume: '继续', waits: '在内核中等待', works: '处理', turn: n => `第 ${n} 轮`, slept: s => `休眠 ${s}`, worked: s => `处理 ${s}`,
  nothing: '没有就绪的套接字：超时到了，或被另一个线程唤醒。', moreEvents: n => `…另有 ${n} 件`, turnsLeftOut: n => `…中间另有 ${n} 轮`, turnsLeftOutWhy: '没有客户端事件的轮，或多到无法全部显示的轮，被省略。',
  filter: '筛选', filterHint: '筛选：地址、状态、slow、wlist、paused、tls…', matching: (n, all) => n === all ? `${all} 个客户端` : `${all} 个客户端中的 ${n} 个`,
  noClients: '没有客户端连接。', noMatch: '没有符合的客户端。', colAddress: '客户端', colState: '状态', colQueue: '队列', colAge: '最久等待', colIn: '收到', colOut: '发出', colIdle: '空闲', colTls: 'TLS',
  plain: '无', slow: '慢', slowClients: '慢客户端', slowWhy: '客户端读得比服务器发得慢。它的队列到达过高水位，或有数据待发送而它已一秒未接收。', yours: '导览的客户端', noLimit: '不限', limitsTitle: '限制，以及达到时会发生什么', loopsTitle: '循环与内存', none: '无',
  chartConnections: '客户端', chartMessages: '每秒消息', chartBytes: '每秒字节', chartQueue: '等待中的消息占用的内存', chartMemory: '原生内存', chartTrouble: '每秒异常数（拒绝、断开、丢弃）',
  seriesClients: '已连接', seriesIn: '收到', seriesOut: '发出', seriesQueue: '占用', seriesMemory: '总计', seriesDropped: '丢弃的消息', seriesRefused: '拒绝或断开的客户端',
  lastMinute: '只看最近一分钟', axis: max => `坐标轴：0 到 ${max}`, ago: s => `${s}前`, now: '现在', close: '关闭此客户端', history: '最近发生的事', noHistory: '没有已知的事件：事件只在页面打开时记录。此前的情况见上面的各行。', queueChart: '此窗口打开期间的队列', historyBefore: '更早的事件未知：事件只在页面打开时记录，且只保留最近的。', replayBefore: '此客户端更早的事件未显示。',
  client: a => `客户端 ${a}`, gone: '此客户端已离开', inLists: '所在列表', sinceAtLeast: s => `至少 ${s}`, sinceFor: s => `已 ${s}`,
  queueLine: (m, b, max) => `${m} 条消息，${b}，上限 ${max}`, queueScale: max => `刻度：0 到 ${max}`, scaleHigh: high => `${high}（高水位）`,
  queueBar: (b, max, high) => `${b} 待发送，上限 ${max}${high ? `。中间的线是高水位 ${high}，到达时暂停读取` : ''}`,
  ageBar: (s, limit) => `已 ${s}未接收任何数据${limit ? `，写超时为 ${limit}` : '。没有写超时'}`,
  hintIn: '收到的字节数。紧急字节不计入。', hintOut: '内核已收下待发送的字节数。客户端可能还没有读取。', hintIdle: '距上次收到或发出字节的时间。紧急字节也算。',
  hintAge: '队列中最旧的消息等了多久。条形表示客户端有多久没有接收任何数据，满格为写超时。', hintQueue: '服务器已发送、内核尚未收下的消息。条形中间的线是高水位，末端是上限。',
  barsLegend: (high, max, timeout) => `条形：队列，从 0 ${high ? `到 ${high}（高水位，在中间）` : ''}到 ${max}${timeout ? `；未接收数据的时间，从 0 到 ${timeout}（写超时）` : ''}。`,
  marksLegend: 'R：在 rlist 中，W：在 wlist 中，X：在 xlist 中。', timesFull: '缓冲区满过', full: n => `${n} 次（自队列上次为空以来）`,
  notIn: list => `不在 ${list} 中`, progress: '未接收任何数据', oldest: '最旧的消息已等待', endTotals: (i, o) => `收到 ${i}，发出 ${o}`,
  tourNotConnected: '导览的客户端没有连接：请在第 2 步连接。', tourPress: b => `按“${b}”，并注意看列表和日志。`, tourBusy: '进行中…', tourSee: '日志显示循环为它做了什么。', tourLog: '循环为导览的客户端做了什么',
  help: '按键与用语', helpKeys: '按键', helpWords: '用语', queueHeld: max => `上限 ${max}；队列与未交付输入的缓冲区，按全部大小计`, loop: n => `循环 ${n}`, nClients: n => `${n} 个客户端`, nTurns: n => `启动以来 ${n} 轮`, back: '上一步', next: '下一步', tourCount: (n, all) => `第 ${n} 步，共 ${all} 步`, tourEnd: '重新开始',
  time: '开始以来的时间', ends: '已离开', replayOf: '录制的运行：', replayWhere: (n, all, time) => `第 ${n} 步，共 ${all} 步，${time} 之后`, replayStep: n => `第 ${n} 步`,
  replayFirst: '第一步', replayBack: '上一步', replayNext: '下一步', replayLast: '最后一步', replayPlay: '播放', replayStop: '停止', replayToFailure: '到失败处',
  replayTimeline: '时间轴', replayStatus: '录制的运行', replayGone: '显示此运行的程序已结束', replayTurnsTitle: '发生了什么（最新的在前）',
  replayFailedHere: '运行在此失败', replayFails: n => `运行在第 ${n} 步失败`, replayEnd: '录制到此结束。',
  replayLeftOut: (from, to) => `运行很长：第 ${from} 到 ${to} 步被省略。`, moreLines: n => `…另有 ${n} 行`, meanwhile: '此前，运行日志中：',
  markOpened: '加入', markClosed: '离开', markFull: '套接字或队列已满', markFault: '故障', tabScenario: '场景', scenarioTitle: '此次运行',
  ofMost: max => `（上限 ${max}）`, panelDetails: '详细数据', rowsLeftOut: n => `另有 ${n} 行`,
  confirmClose: '再按一次以关闭', total: '总计', wasReset: '对方收到了重置', endOf: s => `${s}前`,
};

const STATES = {
  CONNECTING: ['connecting', '正在建立'], OPEN: ['open', '已连接'], INPUT_ENDED: ['peer has closed its sending side', '对方已关闭发送端'], DRAINING: ['finishing', '正在收尾'],
  LINGERING: ['lingering', '等待对方结束'], CLOSED: ['closed', '已关闭'],
};

const READ_STATES = {
  READING: ['waiting for what it sends', '等待它发送数据'], RELAYING: ['its input is relayed', '它的输入正被转发'],
  READING_TO_END: ['our output has ended; the rest is read and dropped', '我方输出已结束，其余输入读出后丢弃'],
  HANDSHAKING: ['TLS handshake', 'TLS 握手中'], AWAITING_PROXY_HEADER: ['its proxy has yet to send the PROXY header', '代理尚未发送 PROXY 头'],
  CONNECTING: ['connecting: writable when it has connected', '正在连接：连上时变为可写'], CONNECTING_BY_NAME: ['its host name is being looked up', '正在查找主机名'],
  DRAINING: ['not read: it is closed when its queue is sent', '不再读取：发完队列后关闭'],
  PAUSED_BY_QUEUE: ['reading is paused, because its queue has reached the high mark', '队列到达高水位，因此暂停读取'],
  PAUSED_BY_APPLICATION: ['reading is paused by the application', '应用程序暂停了读取'], PAUSED_BY_SESSION: ['reading is paused: its session has messages left', '暂停读取：会话还有未取的消息'],
  PAUSED_BY_RELAY: ['reading is paused: the target of its relay is full', '暂停读取：转发目标已满'],
  DELIVERY_PENDING: ['more messages are left: the other clients come first', '还有消息：先轮到其他客户端'],
  INPUT_ENDED: ['nothing to read: the peer has closed its sending side', '没有可读的：对方已关闭发送端'], CLOSED: ['closed', '已关闭'],
};

const REASONS_ZH = {
  PEER_FINISHED: '对方已断开', FINISHED: '应用程序结束了连接', CLOSED: '应用程序关闭了连接', DRAINED: '服务器正在排空', SERVER_CLOSED: '服务器已关闭', RESET: '被对方重置',
  FAILED: '系统调用失败', CONNECT_FAILED: '连接失败', CONNECT_TIMEOUT: '连接超时', QUEUE_FULL: '发送队列已满', BUDGET_EXCEEDED: '全部内存用尽时它占用最多',
  WRITE_TIMEOUT: '对方太久没有接收数据', IDLE_TIMEOUT: '空闲太久', MESSAGE_TIMEOUT: '单条消息接收超时', FIRST_MESSAGE_TIMEOUT: '第一条消息接收超时', MESSAGE_TOO_LONG: '消息太长',
  PROTOCOL_ERROR: '违反了协议', HANDSHAKE_FAILED: 'TLS 握手失败', HANDSHAKE_TIMEOUT: 'TLS 握手太久', TRUNCATED: 'TLS 流被截断', HANDLER_FAILED: '处理程序失败',
  TRANSFER_FAILED: '传输或转发中断', TOO_MANY_FROM_ADDRESS: '该地址的连接太多', ADDRESS_DENIED: '访问列表拒绝该地址', SPINNING: '它使循环空转',
};

export const ORDERLY = new Set(['PEER_FINISHED', 'FINISHED', 'DRAINED', 'CLOSED', 'SERVER_CLOSED']);

const pick = pair => pair ? either(...pair) : '';

export function t(key, ...values) {
  const text = (currentLanguage() === 'zh' ? ZH : EN)[key] ?? EN[key];
  return typeof text === 'function' ? text(...values) : text;
}

export const stateName = state => pick(STATES[state]) || state;

export function endReason(end) {
  const reason = either(end.description, REASONS_ZH[end.reason] ?? end.description);
  return end.failure ? `${reason}: ${end.failure}` : reason;
}

// The engine, and why it was chosen.
export function engineName(text) {
  return either(text, text.replace(', chosen automatically', '，自动选择').replace(', as requested', '，按指定').replace(/^simulated$/, '模拟'));
}

let limits = null;
let watchesUrgent = false;

// Of which limits the sentences tell.
export function useLimits(next) { limits = next; }

// With --urgent, a socket that is read is in two lists.
export function useUrgent(isWatched) { watchesUrgent = isWatched; }

// Returns the high and low mark of a connection's queue, or null: those of the server, unless its listener has limits of its own.
export function marksOf(row) {
  return limits && row.queueBytesMax === limits.queueBytesMax ? {high: limits.queueHighBytes, low: limits.queueLowBytes} : null;
}

// What the bar of a queue shows.
export function queueBarText(row) {
  const marks = marksOf(row);
  return t('queueBar', bytes(row.queueBytes), bytes(row.queueBytesMax), marks ? bytes(marks.high) : '');
}

// The lists in which a client is.
export function listsOf(row) {
  const names = [row.readable ? 'rlist' : '', row.writable ? 'wlist' : '', row.exceptional ? 'xlist' : ''].filter(Boolean);
  return names.length > 0 ? names.join(either(', ', '、')) : t('none');
}

// The labels below the bar of a queue, from its left end to its right end.
export function queueScale(row) {
  const marks = marksOf(row);
  return ['0', ...marks && marks.high < row.queueBytesMax ? [t('scaleHigh', bytes(marks.high))] : [], bytes(row.queueBytesMax)];
}

// What the bars of the table show, for those who see no tooltips.
export function barsLegend() {
  if (!limits) return '';
  const hasMark = limits.queueHighBytes < limits.queueBytesMax;
  return t('barsLegend', hasMark ? bytes(limits.queueHighBytes) : '', bytes(limits.queueBytesMax), limits.writeTimeout > 0 ? seconds(limits.writeTimeout) : '');
}

export const ageBarText = row => t('ageBar', seconds(row.sinceProgress), row.writeTimeout > 0 ? seconds(row.writeTimeout) : '');

const LISTENER_STATES = {
  AT_LIMIT: ['not watched: the server has its maximum number of connections, and further clients wait in the backlog', '未被监视：连接数已达上限，更多客户端在 backlog 中等待'],
  BACKED_OFF: ['not watched for a moment: the kernel had no descriptor or no memory for a new client', '暂时未被监视：内核没有可用于新客户端的描述符或内存'],
  AWAITING_HANDOVER: ['not watched yet: the server that is to be replaced still accepts', '尚未被监视：将被替换的服务器仍在接受客户端'],
};

// Why a listening socket is in rlist, or in none of the lists.
export const listenerWhy = listener => listener.state === 'ACCEPTING' ? t('listenerWhy') : pick(LISTENER_STATES[listener.state]) || listener.reason;

// Why a socket is in a list, in sentences.
export function why(list, row) {
  if (list === 'writable') return whyWritten(row);
  if (list === 'exceptional') return either('waiting for an urgent byte', '等待紧急数据');
  return list === 'none' && row.readState === 'PAUSED_BY_QUEUE' ? pausedByQueue(row) : pick(READ_STATES[row.readState]) || row.reason;
}

function pausedByQueue(row) {
  const marks = marksOf(row);
  if (!marks) return pick(READ_STATES.PAUSED_BY_QUEUE);
  return either(`reading is paused, because its queue has reached the high mark (${bytes(marks.high)}); it continues at the low mark (${bytes(marks.low)})`,
    `队列到达高水位（${bytes(marks.high)}），因此暂停读取；降到低水位（${bytes(marks.low)}）时恢复`);
}

function whyWritten(row) {
  if (row.state === 'CONNECTING') return pick(READ_STATES[row.readState]);
  const sentences = [row.queueBytes > 0 ? either(`${bytes(row.queueBytes)} wait until its socket has room`, `还有 ${bytes(row.queueBytes)} 待发送，等待其套接字有空间`)
    : either('a send is not complete', '一次发送尚未完成')];
  if (row.sinceProgress >= 1) {
    const limit = row.writeTimeout > 0 ? either(`; after ${seconds(row.writeTimeout)} of that (write timeout) it is disconnected with a reset`,
      `；满 ${seconds(row.writeTimeout)}（写超时）将以重置断开`) : '';
    sentences.push(either(`It has accepted nothing for ${seconds(row.sinceProgress)}`, `对方已 ${seconds(row.sinceProgress)}未接收任何数据`) + limit);
  }
  if (row.readState === 'PAUSED_BY_QUEUE') {
    const paused = pausedByQueue(row);
    sentences.push(paused[0].toUpperCase() + paused.slice(1));
  } else if (row.readState.startsWith('PAUSED')) {
    sentences.push(pick(READ_STATES[row.readState]));
  }
  if (row.queueBytes > 0) sentences.push(either('It leaves wlist when nothing waits any more', '全部发完后离开 wlist'));
  return `${sentences.join(either('. ', '。'))}${either('.', '。')}`;
}

// What happened, in words that a beginner understands.
export function eventText(event) {
  const who = event.address ?? (event.id ? `#${event.id}` : '');
  const n = event.amount;
  const lists = watchesUrgent ? either('rlist and xlist', 'rlist 和 xlist') : 'rlist';
  switch (event.kind) {
    case 'ACCEPTED': return either('The listening socket was readable: a client was waiting. accept() returned a socket for it.', '监听套接字可读：有客户端在等待。accept() 取得了它的套接字。');
    case 'OPENED': return either(`${who} joins ${lists}: from now on the loop watches it.`, `${who} 加入 ${lists}：从现在起监视它。`);
    case 'RECEIVED': return either(`${who} was readable: ${bytes(n)} received.`, `${who} 可读：收到 ${bytes(n)}。`);
    case 'DELIVERED': return either(`${who}: ${n === 1 ? 'one message was' : `${n} messages were`} given to the handler.`, `${who}：${n} 条消息交给处理程序。`);
    case 'SENT': return either(`${who}: the kernel accepted ${bytes(n)} to send.`, `${who}：内核已收下待发送的 ${bytes(n)}。`);
    case 'SOCKET_FULL': return either(`The buffer of ${who} is full: ${bytes(n)} wait in its queue, and it joins wlist.`, `${who} 的缓冲区已满：${bytes(n)} 在队列中等待，它加入 wlist。`);
    case 'WRITABLE': return either(`${who} was writable: its buffer has room again.`, `${who} 可写：缓冲区又有空间了。`);
    case 'SOCKET_DRAINED': return n > 0 ? either(`${who} leaves wlist for a moment, with ${bytes(n)} left: the other clients come first.`, `${who} 暂时离开 wlist，还剩 ${bytes(n)} 待发送：先处理其他客户端。`)
      : either(`${who} leaves wlist: the kernel has accepted everything that waited.`, `${who} 离开 wlist：等待的数据内核已全部收下。`);
    case 'QUEUE_HIGH': return either(`The queue of ${who} has reached its high mark (${bytes(n)} now): reading is paused, and it leaves ${lists}.`, `${who} 的队列到达高水位（现有 ${bytes(n)}）：暂停读取，它离开 ${lists}。`);
    case 'QUEUE_LOW': return either(`The queue of ${who} is down at its low mark: reading continues, and it is back in ${lists}.`, `${who} 的队列降到低水位：恢复读取，它回到 ${lists}。`);
    case 'DROPPED': return either(`${who}: its ${n === 1 ? 'oldest message was' : `${n} oldest messages were`} dropped.`, `${who}：丢弃了 ${n} 条最旧的消息。`);
    case 'URGENT': return either(`${who} had urgent data: the byte ${n} (${String.fromCharCode(n)}).`, `${who} 有紧急数据：字节 ${n}（${String.fromCharCode(n)}）。`);
    case 'INPUT_ENDED': return either(`${who} was readable, but the read was empty: the peer has closed its sending side.`, `${who} 可读，但读到 0 字节（EOF）：对方已关闭发送端。`);
    case 'CLOSED': return either(`${who} leaves all lists: its socket is closed, its queue and address are forgotten.`, `${who} 离开所有列表：它的套接字已关闭，队列和地址都已清除。`);
    case 'TASKS': return either(`${n === 1 ? 'A task' : `${n} tasks`} of other threads ran.`, `运行了其他线程的 ${n} 个任务。`);
    default: return `${event.kind} ${who} ${n}`;
  }
}

export function eventClass(kind) {
  if (['ACCEPTED', 'OPENED', 'RECEIVED', 'DELIVERED', 'QUEUE_LOW'].includes(kind)) return 'read';
  if (['SENT', 'SOCKET_FULL', 'SOCKET_DRAINED', 'WRITABLE', 'QUEUE_HIGH'].includes(kind)) return 'write';
  return kind === 'URGENT' ? 'urgent' : kind === 'TASKS' ? '' : 'end';
}

// The limits of the server: name, value and what happens when it is reached. Where there is no limit, nothing happens.
export function limitRows(overflow) {
  const rows = [];
  const add = (isLimited, name, value, what) => rows.push([name, isLimited ? value : t('noLimit'), isLimited ? what : '']);
  const time = (value, name, what) => add(value > 0, name, seconds(value), what);
  add(limits.connectionsMax < 2147483647, either('connections', '连接数'), String(limits.connectionsMax),
    either('further clients wait in the kernel’s queue (the backlog) until one leaves', '更多客户端在内核的等待队列（backlog）中等待，直到有客户端离开'));
  add(limits.connectionsPerAddressMax > 0, either('connections from one address', '每个地址的连接数'), String(limits.connectionsPerAddressMax),
    either('a further client is closed at once', '再来的客户端立即被关闭'));
  if (overflow === 'PAUSE_READING') add(true, either('high and low mark of a queue', '队列的高、低水位'), `${bytes(limits.queueHighBytes)} / ${bytes(limits.queueLowBytes)}`,
    either('at the high mark reading from the client is paused, until its queue is down to the low mark', '到达高水位时暂停读取该客户端，直到队列降到低水位'));
  add(true, either('maximum of a queue', '队列上限'), bytes(limits.queueBytesMax), overflow === 'DROP_OLDEST'
    ? either('the client’s oldest messages are dropped', '丢弃该客户端最旧的消息') : either('beyond it the client is disconnected', '超过时断开该客户端'));
  add(true, either('memory for messages that wait', '等待中的消息占用的内存'), bytes(limits.queueBudgetBytes),
    either('beyond it the connections that hold the most are closed', '超过时关闭占用最多的连接'));
  add(true, either('length of a message', '消息大小上限'), bytes(limits.messageBytesMax), either('a longer message closes its connection', '消息超长则关闭连接'));
  time(limits.messageTimeout, either('receiving a message', '单条消息的接收时限'), either('the connection is closed after its queue is sent', '发完队列后关闭连接'));
  time(limits.idleTimeout, either('idle timeout', '空闲时限'), either('the connection is closed', '关闭连接'));
  time(limits.writeTimeout, either('write timeout', '写超时'), either('a client that accepts nothing for so long is disconnected with a reset', '这么久未接收任何数据的客户端以重置断开'));
  time(limits.handlerTimeout, either('handler timeout', '处理程序运行时限'), either('a handler that runs longer is logged with its stack', '超时则记录日志（含调用栈）'));
  return rows;
}

// The native memory by purpose: name, key and what it is.
export function memoryRows() {
  return [
    [either('rings', '环形队列'), 'rings', either('shared with the kernel by io_uring', '与内核共享（io_uring）')],
    [either('buffers', '缓冲区'), 'buffers', either('of the loops, for receiving and for replies', '循环用于接收和回复')],
    [either('queues', '队列'), 'queues', either('messages that wait to be sent, with the whole size of their buffers', '待发送的消息，按缓冲区全部大小计')],
    [either('input', '输入'), 'input', either('received, and not delivered yet', '已收到，尚未交给处理程序')],
    [either('spare', '备用'), 'spare', either('kept for reuse', '留待重用')],
    ['TLS', 'tls', either('incomplete records, and encrypted bytes that wait to be sent', '不完整的记录和等待发送的密文')],
  ];
}
