// The guided tour: the conversation of a client, from its connect to its end, on the real server.
import {element, find, setText} from './dom.js';
import {currentLanguage, t} from './texts.js';

// What is done, the command that does the same in a terminal, and the texts: title, paragraphs; in English and Chinese.
const STEPS = [
  {
    en: ['One thread, many clients', 'This server has one thread for all of its clients. It never waits for one of them. It asks the kernel a single question, again and again: of these sockets, which are ready? That question is select(), and the sockets are in three lists.',
      'Below are the three lists as they are now. The listening socket is in rlist: the server wants to know when a client connects.'],
    zh: ['一个线程，许多客户端', '这个服务器用一个线程服务所有客户端。它从不单独等待某一个，而是反复问内核同一个问题：这些套接字里哪些已经就绪？这个问题就是 select()，套接字放在三个列表里。',
      '下面是此刻的三个列表。监听套接字在 rlist 里：服务器想知道什么时候有客户端连接。'],
  },
  {
    act: 'connect', command: a => `trivet connect ${a}`, enDo: 'Connect a client', zhDo: '连接一个客户端',
    en: ['Connect', 'A client connects. The listening socket becomes readable, though no data has arrived: “readable” means that the next call will not block, and that call is accept(). It returns a new socket for this client.',
      'The new socket joins rlist, beside the listening socket. Look how it appears there.'],
    zh: ['连接', '一个客户端连接上来。监听套接字变为可读，虽然没有数据到达：“可读”的意思是下一次调用不会阻塞，而这次调用是 accept()。它为这个客户端返回一个新的套接字。',
      '新套接字加入 rlist，站在监听套接字旁边。看它出现在那里。'],
  },
  {
    act: 'send', command: () => 'type: hello', enDo: 'Send hello', zhDo: '发送 hello',
    en: ['Send, and reply', 'The client sends “hello”. Its socket becomes readable, the server reads the message and sends a reply.',
      'The socket does not visit wlist for that. The reply goes straight into the socket’s buffer, which has room; wlist is only for bytes that did not fit. A server that keeps an idle socket in wlist spins: it is always writable.'],
    zh: ['发送与回复', '客户端发送“hello”。它的套接字变为可读，服务器读出消息并发送回复。',
      '为此它并不进入 wlist。回复直接放进套接字的缓冲区，那里有空间；wlist 只用于放不下的数据。如果把空闲的套接字留在 wlist，服务器就会空转：它总是可写的。'],
  },
  {
    act: 'flood', command: a => `yes | nc ${a.replace(/:(\d+)$/, ' $1')} | sleep 60`, enDo: 'Send much, read nothing', zhDo: '大量发送，从不读取',
    en: ['A slow reader', 'Now the client sends a lot and reads none of the replies. Its socket’s buffer fills up, send() takes only a part, and the rest waits in this client’s queue. Now the socket is in wlist: the server wants to know when there is room again.',
      'At the queue’s high mark the server also stops reading from it: the socket leaves rlist. So one slow client cannot fill the memory. If it accepts nothing until the write timeout, it is cut off.'],
    zh: ['慢速读者', '现在客户端大量发送，却不读任何回复。套接字缓冲区被填满，send() 只收下一部分，其余在这个客户端的队列里等待。于是套接字进入 wlist：服务器想知道什么时候又有空间。',
      '队列到达高水位时，服务器也停止读取它：套接字离开 rlist。这样一个慢客户端填不满内存。如果直到写超时它都没有接收，就会被切断。'],
  },
  {
    act: 'read', command: () => 'let the client read', enDo: 'Let it read', zhDo: '让它读取',
    en: ['Room again', 'The client reads its replies. The kernel reports its socket as writable, the server sends what waits, and when the queue is empty the socket leaves wlist. At the low mark, reading goes on: it is back in rlist.'],
    zh: ['又有空间了', '客户端读取它的回复。内核报告套接字可写，服务器发送等待的数据；队列空了，套接字离开 wlist。降到低水位时恢复读取：它回到 rlist。'],
  },
  {
    act: 'urgent', command: () => 'needs trivet serve --urgent', enDo: 'Send an urgent byte', zhDo: '发送一个紧急字节',
    en: ['The third list is not for errors', 'The third list is for TCP urgent data, and for nothing else. Errors make a socket readable and writable, and the next call says what happened.',
      'The list is empty unless the server was started with --urgent: then every client is in it, and an urgent byte is shown as an event.'],
    zh: ['第三个列表不是错误', '第三个列表用于 TCP 紧急数据，别无他用。出错的套接字变为可读和可写，下一次调用会说明发生了什么。',
      '除非服务器以 --urgent 启动，这个列表是空的；启动后每个客户端都在里面，紧急字节会显示为一个事件。'],
  },
  {
    act: 'leave', command: () => 'Ctrl-D', enDo: 'Leave', zhDo: '离开',
    en: ['Gone', 'The client closes its socket. Once more the server’s socket becomes readable, but the read returns nothing: this empty read is how a server learns that its peer is gone.',
      'The server closes its side, and forgets the queue and the address. The socket is in no list any more; whoever still uses it gets an error.'],
    zh: ['离开', '客户端关闭套接字。服务器的套接字再次变为可读，但读到的是空：服务器正是由此得知对方已经离开。',
      '服务器关闭自己的一端，忘记队列和地址。套接字不再在任何列表中；谁还使用它，就会得到错误。'],
  },
];

export class Tour {
  constructor(post) {
    this.post = post;
    this.step = 0;
    this.control = false;
    this.server = '';
    find('tour-back').addEventListener('click', () => this.go(this.step - 1));
    find('tour-next').addEventListener('click', () => this.go(this.step + 1 === STEPS.length ? 0 : this.step + 1));
    find('tour-do').addEventListener('click', () => this.#act());
  }

  go(step) {
    this.step = Math.max(0, Math.min(STEPS.length - 1, step));
    this.texts();
    find('tour-title').focus();
  }

  texts() {
    const step = STEPS[this.step];
    const zh = currentLanguage() === 'zh';
    const [title, ...paragraphs] = zh ? step.zh : step.en;
    setText(find('tour-count'), t('tourCount', this.step + 1, STEPS.length));
    setText(find('tour-title'), title);
    const parts = paragraphs.map(text => element('p', {}, text));
    if (step.act && !this.control) {
      parts.push(element('p', {class: 'quiet'}, zh ? '在终端里：' : 'In a terminal: ', element('code', {}, step.command(this.server)),
        zh ? '。要用这里的按钮，请以 --view-control 启动服务器。' : '. To use a button here, start the server with --view-control.'));
    }
    find('tour-text').replaceChildren(...parts);
    find('tour-do').hidden = !step.act || !this.control;
    setText(find('tour-do'), zh ? step.zhDo ?? '' : step.enDo ?? '');
    find('tour-back').disabled = this.step === 0;
    setText(find('tour-next'), this.step + 1 === STEPS.length ? t('tourEnd') : t('next'));
    find('tour-error').hidden = true;
  }

  async #act() {
    const error = await this.post(`api/tour?do=${STEPS[this.step].act}`);
    find('tour-error').hidden = !error;
    setText(find('tour-error'), error ?? '');
  }
}
