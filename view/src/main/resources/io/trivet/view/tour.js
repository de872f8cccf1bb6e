// The guided tour: the conversation of a client, from its connect to its end, on the real server.
import {element, find, setText} from './dom.js';
import {either} from './language.js';
import {t} from './texts.js';

// What is done, the command that does the same in a terminal, and the texts: title, paragraphs; in English and Chinese. All but the first
// of the actions need a client that is connected.
const STEPS = [
  {
    en: ['One thread, many clients', 'This server has one thread for all of its clients. It never waits for one of them. It asks the kernel a single question, again and again: of these sockets, which are ready? That question is select(), and the sockets are in three lists. epoll and io_uring ask the same question, with lists that the kernel remembers.',
      'Below are the three lists as they are now. The listening socket is in rlist: the server wants to know when a client connects.'],
    zh: ['一个线程，许多客户端', '这个服务器用一个线程服务所有客户端。它从不单独等待某一个，而是反复问内核同一个问题：这些套接字里哪些已经就绪？这个问题就是 select()，套接字放在三个列表里。epoll 和 io_uring 问的是同一个问题，只是列表由内核记住。',
      '下面是此刻的三个列表。监听套接字在 rlist 里：服务器想知道什么时候有客户端连接。'],
  },
  {
    act: 'connect', command: a => `trivet connect ${a}`, enDo: 'Connect a client', zhDo: '连接一个客户端', done: ['The client is connected.', '客户端已连接。'],
    en: ['Connect', 'When a client connects, the listening socket becomes readable, though no data has arrived: “readable” means that the next call will not block, and that call is accept(). It returns a new socket for this client.',
      'The new socket joins rlist, beside the listening socket; with --urgent, also xlist. It is marked as the tour’s client. It is closed in the last step, or a few seconds after the last page is closed.'],
    zh: ['连接', '客户端连接时，虽然没有数据到达，监听套接字仍变为可读：“可读”的意思是下一次调用不会阻塞；在这里，下一次调用就是 accept()。它为这个客户端返回一个新的套接字。',
      '新套接字加入 rlist，列在监听套接字旁边；以 --urgent 启动时也加入 xlist。注意看它出现在下面，并标有“导览的客户端”。它在最后一步关闭，或在最后一个页面关闭几秒后关闭。'],
  },
  {
    act: 'send', command: () => 'type: hello', enDo: 'Send hello', zhDo: '发送 hello', done: ['The client has sent “hello”.', '客户端已发送“hello”。'],
    en: ['Send, and reply', 'When the client sends “hello”, its socket becomes readable. The server reads the message, gives it to the handler, and sends the reply.',
      'The socket does not visit wlist for that. The reply goes straight into the socket’s buffer, which has room; wlist is only for bytes that did not fit. A server that keeps an idle socket in wlist spins: it is always writable.'],
    zh: ['发送与回复', '客户端发送“hello”时，它的套接字变为可读。服务器读出消息，交给处理程序，并发送回复。',
      '为此它并不进入 wlist。回复直接放进套接字的缓冲区，那里有空间；wlist 只用于放不下的数据。如果把空闲的套接字留在 wlist，服务器就会空转：它总是可写的。'],
  },
  {
    act: 'flood', command: a => `yes | nc ${a.replace(/:(\d+)$/, ' $1')} | sleep 60`, enDo: 'Send much, read nothing', zhDo: '大量发送，不读取', done: ['The client has sent until the server stopped reading from it.', '客户端一直发送，直到服务器停止读取它。'],
    en: ['A slow reader', 'Now the client sends a lot and reads none of the replies. Its socket’s buffer fills up, send() takes only a part, and the rest waits in this client’s queue. The socket joins wlist: the server wants to know when there is room again.',
      'At the queue’s high mark the server also stops reading from it: the socket leaves rlist, and is marked as slow. So one slow client cannot fill the memory. If it accepts nothing until the write timeout, it is disconnected with a reset.'],
    zh: ['读得慢的客户端', '现在客户端大量发送，却不读任何回复。套接字缓冲区被填满，send() 只收下一部分，其余在这个客户端的队列里等待。于是套接字加入 wlist：服务器想知道什么时候又有空间。',
      '队列到达高水位时，服务器也停止读取它：套接字离开 rlist，并标为“慢”。这样，一个慢客户端就不会占满内存。如果到写超时仍未接收，连接就会以重置断开。'],
  },
  {
    act: 'read', command: () => 'let the client read', enDo: 'Let it read', zhDo: '让它读取', done: ['The client has read everything that has arrived.', '客户端已读完到达的一切。'],
    en: ['Room again', 'When the client reads its replies, the kernel reports its socket as writable, and the server sends what waits. At the queue’s low mark, reading continues: the socket is back in rlist. When the queue is empty, it leaves wlist.'],
    zh: ['又有空间了', '客户端读取回复时，内核报告套接字可写，服务器发送等待的数据。队列降到低水位时恢复读取：它回到 rlist。队列空了，它离开 wlist。'],
  },
  {
    act: 'urgent', command: () => 'needs trivet serve --urgent', enDo: 'Send an urgent byte', zhDo: '发送一个紧急字节', done: ['The client has sent one urgent byte, an exclamation mark.', '客户端已发送一个紧急字节：感叹号。'],
    en: ['The third list is not for errors', 'The third list is for TCP urgent data, and for nothing else. Errors make a socket readable and writable, and the next call says what happened.',
      'The list is empty unless the server was started with --urgent. Then every client that is read is in it, and an urgent byte is shown as an event. A client whose reading is paused is in neither rlist nor xlist.'],
    zh: ['第三个列表与错误无关', '第三个列表用于 TCP 紧急数据，仅此而已。出错的套接字变为可读和可写，下一次调用会说明发生了什么。',
      '只有以 --urgent 启动时才使用这个列表，否则为空；启用后，每个被读取的客户端都在其中，紧急字节会显示为一个事件。暂停读取的客户端既不在 rlist，也不在 xlist。'],
  },
  {
    act: 'leave', command: () => 'Ctrl-D', enDo: 'Leave', zhDo: '断开', done: ['The client has closed its connection.', '客户端已关闭连接。'],
    en: ['Gone', 'When the client closes its connection, the server’s socket becomes readable once more, but the read returns nothing: this empty read is how a server learns that its peer is gone.',
      'The server closes its side, and forgets the queue and the address. The socket is in no list any more; using it afterwards is an error.'],
    zh: ['断开', '客户端关闭连接时，服务器的套接字再次变为可读，但读到 0 字节（EOF）：服务器正是由此得知对方已经断开。',
      '服务器关闭自己的一端，清除队列和地址。套接字不再在任何列表中；之后再使用它会报错。'],
  },
];

export class Tour {
  constructor(post) {
    this.post = post;
    this.step = 0;
    this.control = false;
    this.server = '';
    this.isConnected = false;
    this.isActing = false;
    this.isDone = false; // the action of this step
    find('tour-back').addEventListener('click', () => this.go(this.step - 1));
    find('tour-next').addEventListener('click', () => this.go(this.step + 1 === STEPS.length ? 0 : this.step + 1));
    find('tour-do').addEventListener('click', () => this.#act());
  }

  // Shows a step. The focus stays on the button, so that Enter goes on; a screen reader is told the text, which is a live region.
  go(step) {
    this.step = Math.max(0, Math.min(STEPS.length - 1, step));
    this.isDone = false;
    this.texts();
    if (this.step === 0 && document.activeElement === document.body) find('tour-next').focus(); // Back is disabled now
  }

  // Called when the tour's client has connected or is gone.
  connected(isConnected) {
    if (isConnected === this.isConnected) return;
    this.isConnected = isConnected;
    this.#showButton();
  }

  texts() {
    const step = STEPS[this.step];
    const [title, ...paragraphs] = either(step.en, step.zh);
    setText(find('tour-count'), t('tourCount', this.step + 1, STEPS.length));
    setText(find('tour-title'), title);
    const parts = paragraphs.map(text => element('p', {}, text));
    if (step.act && !this.control) {
      parts.push(element('p', {class: 'quiet'}, either('In a terminal: ', '在终端里：'), element('code', {}, step.command(this.server)),
        either('. To use a button here, start the server with --view-control.', '。要用这里的按钮，请以 --view-control 启动服务器。')));
    } else if (step.act) {
      parts.push(element('p', {}, element('b', {}, t('tourPress', either(step.enDo, step.zhDo)))));
    }
    find('tour-text').replaceChildren(...parts);
    find('tour-back').disabled = this.step === 0;
    setText(find('tour-next'), this.step + 1 === STEPS.length ? t('tourEnd') : t('next'));
    find('tour-error').hidden = true;
    this.#showButton();
  }

  #showButton() {
    const {act, enDo, zhDo} = STEPS[this.step];
    const button = find('tour-do');
    const isMissing = Boolean(act) && act !== 'connect' && !this.isConnected;
    button.hidden = !act || !this.control;
    button.disabled = this.isActing || isMissing;
    setText(button, this.isActing ? t('tourBusy') : either(enDo, zhDo) ?? '');
    const hint = this.isActing ? '' : this.isDone ? `✓ ${either(...STEPS[this.step].done)}${t('tourSee')}` : this.control && isMissing ? t('tourNotConnected') : '';
    find('tour-hint').hidden = !hint;
    setText(find('tour-hint'), hint);
  }

  async #act() {
    const step = this.step;
    this.isActing = true;
    this.isDone = false;
    this.#showButton();
    const error = await this.post(`api/tour?do=${STEPS[step].act}`);
    this.isActing = false;
    this.isDone = !error && this.step === step;
    this.#showButton();
    if (this.step === step && document.activeElement === document.body) find(find('tour-do').disabled ? 'tour-next' : 'tour-do').focus();
    find('tour-error').hidden = !error;
    setText(find('tour-error'), error ?? '');
  }
}
