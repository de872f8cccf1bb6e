#Signature file v4.1
#Version 1

CLSS public final io.trivet.net.Addresses
meth public static java.lang.String toString(java.net.InetAddress)
meth public static java.lang.String toString(java.net.InetSocketAddress)
meth public static void checkFamilies(java.net.InetSocketAddress,java.net.InetSocketAddress) throws java.io.IOException
supr java.lang.Object

CLSS public final !enum io.trivet.net.Capability
fld public final static io.trivet.net.Capability DESCRIPTORS
fld public final static io.trivet.net.Capability INHERITED_OPTIONS
fld public final static io.trivet.net.Capability KEEP_ALIVE_OPTIONS
fld public final static io.trivet.net.Capability REGULAR_FILES
fld public final static io.trivet.net.Capability URGENT_DATA
meth public static io.trivet.net.Capability valueOf(java.lang.String)
meth public static io.trivet.net.Capability[] values()
supr java.lang.Enum<io.trivet.net.Capability>

CLSS public final io.trivet.net.Cidr
meth public boolean contains(java.net.InetAddress)
meth public boolean equals(java.lang.Object)
meth public int hashCode()
meth public java.lang.String toString()
meth public static io.trivet.net.Cidr of(java.lang.String)
meth public static io.trivet.net.Cidr of(java.net.InetAddress,int)
supr java.lang.Object

CLSS public abstract interface io.trivet.net.Clock
 anno 0 java.lang.FunctionalInterface()
fld public final static io.trivet.net.Clock SYSTEM
meth public abstract long nanoTime()

CLSS public final io.trivet.net.ClosedSocketException
cons public init(java.lang.String)
meth public java.lang.String getMessage()
supr java.nio.channels.ClosedChannelException

CLSS public abstract interface io.trivet.net.Completions
meth public abstract void acceptFailed(long,java.io.IOException)
meth public abstract void accepted(long,io.trivet.net.TcpStream)
meth public abstract void closed(long)
meth public abstract void connected(long)
meth public abstract void failed(long,java.io.IOException)
meth public abstract void inputEnded(long)
meth public abstract void received(long,java.nio.ByteBuffer,int,int)
meth public abstract void sent(long,long)
meth public abstract void spinning(long,java.lang.String)
meth public abstract void urgent(long,byte)
meth public void inputTruncated(long,java.io.IOException)

CLSS public abstract interface io.trivet.net.Descriptor
intf io.trivet.net.Socket
meth public abstract int read(java.nio.ByteBuffer) throws java.io.IOException
meth public abstract int write(java.nio.ByteBuffer) throws java.io.IOException
meth public static io.trivet.net.Descriptor of(int)
meth public static io.trivet.net.Descriptor standardInput()

CLSS public final io.trivet.net.DescriptorsLostException
cons public init(io.trivet.net.Socket,int)
supr io.trivet.net.NetworkException

CLSS public final io.trivet.net.EngineStatus
cons public init(java.lang.String,boolean,java.lang.String)
meth public boolean available()
meth public final boolean equals(java.lang.Object)
meth public final int hashCode()
meth public final java.lang.String toString()
meth public java.lang.String name()
meth public java.lang.String remark()
supr java.lang.Record

CLSS public final !enum io.trivet.net.ErrorCode
fld public final static io.trivet.net.ErrorCode EACCES
fld public final static io.trivet.net.ErrorCode EADDRINUSE
fld public final static io.trivet.net.ErrorCode EADDRNOTAVAIL
fld public final static io.trivet.net.ErrorCode EAFNOSUPPORT
fld public final static io.trivet.net.ErrorCode EAGAIN
fld public final static io.trivet.net.ErrorCode EALREADY
fld public final static io.trivet.net.ErrorCode EBADF
fld public final static io.trivet.net.ErrorCode ECONNABORTED
fld public final static io.trivet.net.ErrorCode ECONNREFUSED
fld public final static io.trivet.net.ErrorCode ECONNRESET
fld public final static io.trivet.net.ErrorCode EDESTADDRREQ
fld public final static io.trivet.net.ErrorCode EEXIST
fld public final static io.trivet.net.ErrorCode EFAULT
fld public final static io.trivet.net.ErrorCode EHOSTUNREACH
fld public final static io.trivet.net.ErrorCode EINTR
fld public final static io.trivet.net.ErrorCode EINVAL
fld public final static io.trivet.net.ErrorCode EIO
fld public final static io.trivet.net.ErrorCode EISCONN
fld public final static io.trivet.net.ErrorCode EISDIR
fld public final static io.trivet.net.ErrorCode EMFILE
fld public final static io.trivet.net.ErrorCode EMSGSIZE
fld public final static io.trivet.net.ErrorCode ENETDOWN
fld public final static io.trivet.net.ErrorCode ENETUNREACH
fld public final static io.trivet.net.ErrorCode ENFILE
fld public final static io.trivet.net.ErrorCode ENOBUFS
fld public final static io.trivet.net.ErrorCode ENOENT
fld public final static io.trivet.net.ErrorCode ENOMEM
fld public final static io.trivet.net.ErrorCode ENOPROTOOPT
fld public final static io.trivet.net.ErrorCode ENOSPC
fld public final static io.trivet.net.ErrorCode ENOSYS
fld public final static io.trivet.net.ErrorCode ENOTCONN
fld public final static io.trivet.net.ErrorCode ENOTSOCK
fld public final static io.trivet.net.ErrorCode EOPNOTSUPP
fld public final static io.trivet.net.ErrorCode EPERM
fld public final static io.trivet.net.ErrorCode EPIPE
fld public final static io.trivet.net.ErrorCode EPROTO
fld public final static io.trivet.net.ErrorCode EPROTOTYPE
fld public final static io.trivet.net.ErrorCode ETIMEDOUT
fld public final static io.trivet.net.ErrorCode ETOOMANYREFS
fld public final static io.trivet.net.ErrorCode OTHER
meth public int number()
meth public java.lang.String sentence()
meth public static io.trivet.net.ErrorCode of(int)
meth public static io.trivet.net.ErrorCode valueOf(java.lang.String)
meth public static io.trivet.net.ErrorCode[] values()
supr java.lang.Enum<io.trivet.net.ErrorCode>

CLSS public final io.trivet.net.Interest
fld public final static int ALL = 7
fld public final static int ERROR = 8
fld public final static int HANG_UP = 16
fld public final static int INVALID = 32
fld public final static int PRIORITY = 4
fld public final static int READ = 1
fld public final static int WRITE = 2
meth public static int check(int)
meth public static int fold(int,int)
meth public static java.lang.String toString(int)
supr java.lang.Object

CLSS public final io.trivet.net.ListenOptions
innr public abstract interface static Setter
meth public <%0 extends java.lang.Object> io.trivet.net.ListenOptions with(java.net.SocketOption<{%%0}>,{%%0})
meth public boolean equals(java.lang.Object)
meth public boolean isIpv6Only()
meth public int hashCode()
meth public io.trivet.net.ListenOptions withIpv6Only()
meth public java.lang.String toString()
meth public static io.trivet.net.ListenOptions none()
meth public void apply(io.trivet.net.ListenOptions$Setter) throws java.io.IOException
supr java.lang.Object

CLSS public abstract interface static io.trivet.net.ListenOptions$Setter
 outer io.trivet.net.ListenOptions
 anno 0 java.lang.FunctionalInterface()
meth public abstract <%0 extends java.lang.Object> void set(java.net.SocketOption<{%%0}>,{%%0}) throws java.io.IOException

CLSS public abstract interface io.trivet.net.Loop
fld public final static long NO_DEADLINE = 9223372036854775807
meth public abstract int turn() throws java.io.IOException
meth public abstract long nextDeadline()

CLSS public abstract interface io.trivet.net.Network
meth public abstract boolean supports(io.trivet.net.Capability)
meth public abstract io.trivet.net.Clock clock()
meth public abstract io.trivet.net.Descriptor descriptor(int)
meth public abstract io.trivet.net.Pipe pipe() throws java.io.IOException
meth public abstract io.trivet.net.Poller poller() throws java.io.IOException
meth public abstract io.trivet.net.TcpListener listen(java.net.InetSocketAddress,int) throws java.io.IOException
meth public abstract io.trivet.net.TcpStream connect(java.net.InetSocketAddress) throws java.io.IOException
meth public abstract io.trivet.net.UdpSocket udp(java.net.InetSocketAddress) throws java.io.IOException
meth public abstract java.lang.Object family()
meth public abstract java.lang.String name()
meth public boolean turnsLoops()
meth public int selectOnce(io.trivet.net.Socket[],int[],int,long) throws java.io.IOException
meth public io.trivet.net.Network fallback()
meth public io.trivet.net.Network forOneCall()
meth public io.trivet.net.Proactor proactor() throws java.io.IOException
meth public io.trivet.net.SendableFile openFile(java.nio.file.Path) throws java.io.IOException
meth public io.trivet.net.Splicing splicing()
meth public io.trivet.net.TcpListener listen(io.trivet.net.Descriptor) throws java.io.IOException
meth public io.trivet.net.TcpListener listen(io.trivet.net.UnixAddress,io.trivet.net.SocketFile,int) throws java.io.IOException
meth public io.trivet.net.TcpListener listen(java.net.InetSocketAddress,int,io.trivet.net.ListenOptions) throws java.io.IOException
meth public io.trivet.net.TcpListener listenIpv6Only(java.net.InetSocketAddress,int) throws java.io.IOException
meth public io.trivet.net.TcpStream connect(io.trivet.net.UnixAddress) throws java.io.IOException
meth public io.trivet.net.TcpStream connect(java.net.InetSocketAddress,java.net.InetSocketAddress) throws java.io.IOException
meth public java.lang.System$Logger logger(java.lang.String)
meth public static io.trivet.net.Network named(java.lang.String)
meth public static io.trivet.net.Network system()
meth public static java.util.List<io.trivet.net.EngineStatus> engines()
meth public void attach(io.trivet.net.Loop)
meth public void sendUnixDatagram(java.lang.String,java.lang.String) throws java.io.IOException

CLSS public io.trivet.net.NetworkException
cons public init(java.lang.String,java.lang.Object,io.trivet.net.ErrorCode)
cons public init(java.lang.String,java.lang.Object,io.trivet.net.ErrorCode,java.lang.String)
cons public init(java.lang.String,java.lang.Object,io.trivet.net.ErrorCode,java.lang.String,int,int)
meth public int descriptor()
meth public int errno()
meth public io.trivet.net.ErrorCode code()
meth public io.trivet.net.NetworkException at(java.lang.String)
meth public java.lang.String call()
supr java.io.IOException

CLSS public abstract interface io.trivet.net.NetworkProvider
meth public abstract int preference()
meth public abstract io.trivet.net.Network network(java.lang.String)
meth public abstract java.util.List<java.lang.String> names()
meth public java.util.List<java.lang.String> automatic()

CLSS public final io.trivet.net.PeerCredentials
cons public init(int,int,int)
meth public final boolean equals(java.lang.Object)
meth public final int hashCode()
meth public int gid()
meth public int pid()
meth public int uid()
meth public java.lang.String toString()
supr java.lang.Record

CLSS public abstract interface io.trivet.net.Pipe
innr public abstract interface static Sink
innr public abstract interface static Source
intf java.lang.AutoCloseable
meth public abstract io.trivet.net.Pipe$Sink sink()
meth public abstract io.trivet.net.Pipe$Source source()
meth public abstract void close() throws java.io.IOException

CLSS public abstract interface static io.trivet.net.Pipe$Sink
 outer io.trivet.net.Pipe
intf io.trivet.net.Socket
meth public abstract int write(java.nio.ByteBuffer) throws java.io.IOException

CLSS public abstract interface static io.trivet.net.Pipe$Source
 outer io.trivet.net.Pipe
intf io.trivet.net.Socket
meth public abstract int read(java.nio.ByteBuffer) throws java.io.IOException

CLSS public abstract interface io.trivet.net.Poller
intf java.lang.AutoCloseable
meth public abstract int poll(io.trivet.net.ReadyEvents,long) throws java.io.IOException
meth public abstract io.trivet.net.Registration registration(io.trivet.net.Socket)
meth public abstract void close() throws java.io.IOException
meth public abstract void deregister(io.trivet.net.Socket) throws java.io.IOException
meth public abstract void modify(io.trivet.net.Socket,int,long) throws java.io.IOException
meth public abstract void register(io.trivet.net.Socket,int,long) throws java.io.IOException
meth public abstract void wakeup()

CLSS public abstract interface io.trivet.net.Proactor
fld public final static long PENDING = -1
intf java.lang.AutoCloseable
meth public <%0 extends java.lang.Object> void setOption(long,java.net.SocketOption<{%%0}>,{%%0}) throws java.io.IOException
meth public <%0 extends java.lang.Object> {%%0} getOption(long,java.net.SocketOption<{%%0}>) throws java.io.IOException
meth public abstract boolean sendUrgent(long,byte) throws java.io.IOException
meth public abstract int interest(long)
meth public abstract int poll(io.trivet.net.Completions,long) throws java.io.IOException
meth public abstract java.net.InetSocketAddress localAddress(long)
meth public abstract java.net.InetSocketAddress remoteAddress(long)
meth public abstract long adopt(io.trivet.net.TcpStream) throws java.io.IOException
meth public abstract long connect(java.net.InetSocketAddress) throws java.io.IOException
meth public abstract long send(long,java.nio.ByteBuffer[],int,int) throws java.io.IOException
meth public abstract void accept(io.trivet.net.TcpListener,long) throws java.io.IOException
meth public abstract void close() throws java.io.IOException
meth public abstract void close(long)
meth public abstract void receive(long) throws java.io.IOException
meth public abstract void reset(long)
meth public abstract void shutdownOutput(long) throws java.io.IOException
meth public abstract void stopAccepting(io.trivet.net.TcpListener) throws java.io.IOException
meth public abstract void stopReceiving(long) throws java.io.IOException
meth public abstract void wakeup()
meth public abstract void watchUrgent(long) throws java.io.IOException
meth public boolean isBehind()
meth public int sendSpliced(long,int) throws java.io.IOException
meth public int splice(long,long,int) throws java.io.IOException
meth public long bufferBytes()
meth public long connect(java.net.InetSocketAddress,java.net.InetSocketAddress) throws java.io.IOException
meth public long keptBytes()
meth public long keptBytes(long)
meth public long ringBytes()
meth public long sendFile(long,io.trivet.net.SendableFile,long,long) throws java.io.IOException
meth public long sendNow(long,java.nio.ByteBuffer[],int,int) throws java.io.IOException
meth public long unsentBytes(long)
meth public static int slot(long)
meth public void prepare() throws java.io.IOException

CLSS public final io.trivet.net.ReadinessProactor
cons public init(io.trivet.net.Network) throws java.io.IOException
intf io.trivet.net.Proactor
meth public <%0 extends java.lang.Object> void setOption(long,java.net.SocketOption<{%%0}>,{%%0}) throws java.io.IOException
meth public <%0 extends java.lang.Object> {%%0} getOption(long,java.net.SocketOption<{%%0}>) throws java.io.IOException
meth public boolean isBehind()
meth public boolean sendUrgent(long,byte) throws java.io.IOException
meth public int interest(long)
meth public int poll(io.trivet.net.Completions,long) throws java.io.IOException
meth public int sendSpliced(long,int) throws java.io.IOException
meth public int splice(long,long,int) throws java.io.IOException
meth public java.net.InetSocketAddress localAddress(long)
meth public java.net.InetSocketAddress remoteAddress(long)
meth public long adopt(io.trivet.net.TcpStream) throws java.io.IOException
meth public long bufferBytes()
meth public long connect(java.net.InetSocketAddress) throws java.io.IOException
meth public long connect(java.net.InetSocketAddress,java.net.InetSocketAddress) throws java.io.IOException
meth public long send(long,java.nio.ByteBuffer[],int,int) throws java.io.IOException
meth public long sendFile(long,io.trivet.net.SendableFile,long,long) throws java.io.IOException
meth public void accept(io.trivet.net.TcpListener,long) throws java.io.IOException
meth public void close() throws java.io.IOException
meth public void close(long)
meth public void receive(long) throws java.io.IOException
meth public void reset(long)
meth public void shutdownOutput(long) throws java.io.IOException
meth public void stopAccepting(io.trivet.net.TcpListener) throws java.io.IOException
meth public void stopReceiving(long) throws java.io.IOException
meth public void wakeup()
meth public void watchUrgent(long) throws java.io.IOException
supr java.lang.Object

CLSS public final io.trivet.net.ReadyEvents
cons public init(int)
meth public boolean isFull()
meth public int capacity()
meth public int events(int)
meth public int size()
meth public long token(int)
meth public void add(long,int)
meth public void clear()
supr java.lang.Object

CLSS public final io.trivet.net.Registration
cons public init(io.trivet.net.Socket,int,long)
meth public final boolean equals(java.lang.Object)
meth public final int hashCode()
meth public final java.lang.String toString()
meth public int interest()
meth public io.trivet.net.Socket socket()
meth public long token()
supr java.lang.Record

CLSS public abstract interface io.trivet.net.Selectable
 anno 0 java.lang.FunctionalInterface()
meth public abstract io.trivet.net.Socket socket()

CLSS public abstract interface io.trivet.net.SendableFile
fld public final static long ENDED = -1
fld public final static long UNSUPPORTED = -2
intf java.lang.AutoCloseable
meth public abstract int read(java.nio.ByteBuffer,long) throws java.io.IOException
meth public abstract long size() throws java.io.IOException
meth public abstract void close() throws java.io.IOException

CLSS public abstract interface io.trivet.net.Socket
intf io.trivet.net.Selectable
intf java.lang.AutoCloseable
meth public abstract <%0 extends java.lang.Object> void setOption(java.net.SocketOption<{%%0}>,{%%0}) throws java.io.IOException
meth public abstract <%0 extends java.lang.Object> {%%0} getOption(java.net.SocketOption<{%%0}>) throws java.io.IOException
meth public abstract boolean isOpen()
meth public abstract int fd()
meth public abstract io.trivet.net.Network network()
meth public abstract void close() throws java.io.IOException
meth public io.trivet.net.Socket socket()

CLSS public final io.trivet.net.SocketFile
cons public init(java.util.Set<java.nio.file.attribute.PosixFilePermission>,java.lang.String,java.lang.String)
meth public final boolean equals(java.lang.Object)
meth public final int hashCode()
meth public final java.lang.String toString()
meth public io.trivet.net.SocketFile withGroup(java.lang.String)
meth public io.trivet.net.SocketFile withMode(java.lang.String)
meth public io.trivet.net.SocketFile withOwner(java.lang.String)
meth public java.lang.String group()
meth public java.lang.String owner()
meth public java.util.Set<java.nio.file.attribute.PosixFilePermission> mode()
meth public static io.trivet.net.SocketFile defaults()
supr java.lang.Record

CLSS public abstract interface io.trivet.net.Splicing
intf java.lang.AutoCloseable
meth public abstract int drain(long,io.trivet.net.TcpStream,int) throws java.io.IOException
meth public abstract int fill(io.trivet.net.TcpStream,long,int) throws java.io.IOException
meth public abstract void close()
meth public abstract void drop(long)

CLSS public final io.trivet.net.Supervisor
meth public boolean report(io.trivet.net.Network,java.lang.String) throws java.io.IOException
meth public int passedSockets() throws java.io.IOException
meth public java.lang.String name(int)
meth public java.util.List<io.trivet.net.TcpListener> listeners(io.trivet.net.Network) throws java.io.IOException
meth public static io.trivet.net.Supervisor ofProcess()
supr java.lang.Object

CLSS public abstract interface io.trivet.net.TcpListener
intf io.trivet.net.Socket
meth public abstract io.trivet.net.TcpStream accept() throws java.io.IOException
meth public abstract java.net.InetSocketAddress localAddress() throws java.io.IOException
meth public boolean share()
meth public void ownFile() throws java.io.IOException

CLSS public final io.trivet.net.TcpOptions<%0 extends java.lang.Object>
fld public final static io.trivet.net.TcpOptions<java.lang.Boolean> URGENT_INLINE
fld public final static io.trivet.net.TcpOptions<java.lang.Integer> KEEP_ALIVE_IDLE_SECONDS
fld public final static io.trivet.net.TcpOptions<java.lang.Integer> KEEP_ALIVE_INTERVAL_SECONDS
fld public final static io.trivet.net.TcpOptions<java.lang.Integer> KEEP_ALIVE_PROBES
fld public final static io.trivet.net.TcpOptions<java.lang.Integer> NOT_SENT_LOW_WATER
fld public final static io.trivet.net.TcpOptions<java.lang.Integer> RECEIVE_LOW_WATER
fld public final static io.trivet.net.TcpOptions<java.lang.Integer> USER_TIMEOUT_MILLIS
intf java.net.SocketOption<{io.trivet.net.TcpOptions%0}>
meth public java.lang.Class<{io.trivet.net.TcpOptions%0}> type()
meth public java.lang.String name()
meth public java.lang.String toString()
supr java.lang.Object

CLSS public abstract interface io.trivet.net.TcpStream
intf io.trivet.net.Socket
meth public abstract boolean atMark() throws java.io.IOException
meth public abstract boolean finishConnect() throws java.io.IOException
meth public abstract boolean sendUrgent(byte) throws java.io.IOException
meth public abstract int read(java.nio.ByteBuffer) throws java.io.IOException
meth public abstract int receiveUrgent() throws java.io.IOException
meth public abstract int write(java.nio.ByteBuffer) throws java.io.IOException
meth public abstract java.net.InetSocketAddress localAddress() throws java.io.IOException
meth public abstract java.net.InetSocketAddress remoteAddress() throws java.io.IOException
meth public abstract long write(java.nio.ByteBuffer[],int,int) throws java.io.IOException
meth public abstract void shutdownInput() throws java.io.IOException
meth public abstract void shutdownOutput() throws java.io.IOException
meth public long sendFile(io.trivet.net.SendableFile,long,long) throws java.io.IOException

CLSS public abstract interface io.trivet.net.UdpSocket
intf io.trivet.net.Socket
meth public abstract boolean send(java.nio.ByteBuffer,java.net.InetSocketAddress) throws java.io.IOException
meth public abstract java.net.InetSocketAddress localAddress() throws java.io.IOException
meth public abstract java.net.InetSocketAddress receive(java.nio.ByteBuffer) throws java.io.IOException
meth public abstract void connect(java.net.InetSocketAddress) throws java.io.IOException

CLSS public final io.trivet.net.UnavailableException
cons public init(java.lang.String)
meth public java.lang.String reason()
supr java.lang.UnsupportedOperationException

CLSS public final io.trivet.net.UnixAddress
fld public final static int BYTES_MAX = 107
meth public boolean equals(java.lang.Object)
meth public boolean isAbstract()
meth public boolean isUnnamed()
meth public byte[] bytes()
meth public int hashCode()
meth public java.lang.String path()
meth public java.lang.String toString()
meth public java.net.InetSocketAddress asInetSocketAddress()
meth public static boolean isUnix(java.lang.String)
meth public static boolean isUnix(java.net.InetSocketAddress)
meth public static io.trivet.net.UnixAddress of(java.net.InetSocketAddress)
meth public static io.trivet.net.UnixAddress of(java.net.UnixDomainSocketAddress)
meth public static io.trivet.net.UnixAddress ofAbstract(java.lang.String)
meth public static io.trivet.net.UnixAddress ofBytes(byte[],int)
meth public static io.trivet.net.UnixAddress ofPath(java.lang.String)
meth public static io.trivet.net.UnixAddress ofPath(java.nio.file.Path)
meth public static io.trivet.net.UnixAddress parse(java.lang.String)
meth public static io.trivet.net.UnixAddress unnamed()
supr java.net.SocketAddress

CLSS public final io.trivet.net.UnixOptions<%0 extends java.lang.Object>
fld public final static io.trivet.net.UnixOptions<io.trivet.net.PeerCredentials> PEER_CREDENTIALS
intf java.net.SocketOption<{io.trivet.net.UnixOptions%0}>
meth public java.lang.Class<{io.trivet.net.UnixOptions%0}> type()
meth public java.lang.String name()
meth public java.lang.String toString()
supr java.lang.Object

CLSS public abstract interface io.trivet.net.UnixStream
fld public final static int DESCRIPTORS_MAX = 253
intf io.trivet.net.TcpStream
meth public abstract int read(java.nio.ByteBuffer,java.util.List<? super io.trivet.net.Descriptor>,int) throws java.io.IOException
meth public abstract int write(java.nio.ByteBuffer,java.util.List<? extends io.trivet.net.Socket>) throws java.io.IOException
meth public io.trivet.net.PeerCredentials peerCredentials() throws java.io.IOException

CLSS public final !enum io.trivet.observe.CloseReason
fld public final static io.trivet.observe.CloseReason ADDRESS_DENIED
fld public final static io.trivet.observe.CloseReason BUDGET_EXCEEDED
fld public final static io.trivet.observe.CloseReason CLOSED
fld public final static io.trivet.observe.CloseReason CONNECT_FAILED
fld public final static io.trivet.observe.CloseReason CONNECT_TIMEOUT
fld public final static io.trivet.observe.CloseReason DRAINED
fld public final static io.trivet.observe.CloseReason FAILED
fld public final static io.trivet.observe.CloseReason FINISHED
fld public final static io.trivet.observe.CloseReason FIRST_MESSAGE_TIMEOUT
fld public final static io.trivet.observe.CloseReason HANDLER_FAILED
fld public final static io.trivet.observe.CloseReason HANDSHAKE_FAILED
fld public final static io.trivet.observe.CloseReason HANDSHAKE_TIMEOUT
fld public final static io.trivet.observe.CloseReason IDLE_TIMEOUT
fld public final static io.trivet.observe.CloseReason MESSAGE_TIMEOUT
fld public final static io.trivet.observe.CloseReason MESSAGE_TOO_LONG
fld public final static io.trivet.observe.CloseReason PEER_FINISHED
fld public final static io.trivet.observe.CloseReason PROTOCOL_ERROR
fld public final static io.trivet.observe.CloseReason QUEUE_FULL
fld public final static io.trivet.observe.CloseReason RESET
fld public final static io.trivet.observe.CloseReason SERVER_CLOSED
fld public final static io.trivet.observe.CloseReason SPINNING
fld public final static io.trivet.observe.CloseReason TOO_MANY_FROM_ADDRESS
fld public final static io.trivet.observe.CloseReason TRANSFER_FAILED
fld public final static io.trivet.observe.CloseReason TRUNCATED
fld public final static io.trivet.observe.CloseReason WRITE_TIMEOUT
meth public java.lang.String description()
meth public static io.trivet.observe.CloseReason valueOf(java.lang.String)
meth public static io.trivet.observe.CloseReason[] values()
supr java.lang.Enum<io.trivet.observe.CloseReason>

CLSS public final io.trivet.observe.ClosedConnection
cons public init(long,java.net.InetSocketAddress,int,io.trivet.observe.CloseReason,java.lang.String,boolean,long,long,java.time.Duration)
meth public boolean reset()
meth public final boolean equals(java.lang.Object)
meth public final int hashCode()
meth public final java.lang.String toString()
meth public int loop()
meth public io.trivet.observe.CloseReason reason()
meth public java.lang.String failure()
meth public java.net.InetSocketAddress remoteAddress()
meth public java.time.Duration sinceClosed()
meth public long bytesIn()
meth public long bytesOut()
meth public long id()
supr java.lang.Record

CLSS public final io.trivet.observe.ConnectionSnapshot
cons public init(long,java.net.InetSocketAddress,int,io.trivet.observe.ConnectionState,boolean,boolean,boolean,io.trivet.observe.ReadState,java.lang.String,long,long,int,java.time.Duration,java.time.Duration,java.time.Duration,int,long,long,java.time.Duration,java.lang.String,io.trivet.observe.CloseReason)
meth public boolean exceptional()
meth public boolean readable()
meth public boolean writable()
meth public final boolean equals(java.lang.Object)
meth public final int hashCode()
meth public final java.lang.String toString()
meth public int loop()
meth public int queueMessages()
meth public int timesFull()
meth public io.trivet.observe.CloseReason closeReason()
meth public io.trivet.observe.ConnectionState state()
meth public io.trivet.observe.ReadState readState()
meth public java.lang.String interestReason()
meth public java.lang.String tls()
meth public java.net.InetSocketAddress remoteAddress()
meth public java.time.Duration oldestAge()
meth public java.time.Duration sinceActivity()
meth public java.time.Duration sinceProgress()
meth public java.time.Duration writeTimeout()
meth public long bytesIn()
meth public long bytesOut()
meth public long id()
meth public long queueBytes()
meth public long queueBytesMax()
supr java.lang.Record

CLSS public final !enum io.trivet.observe.ConnectionState
fld public final static io.trivet.observe.ConnectionState CLOSED
fld public final static io.trivet.observe.ConnectionState CONNECTING
fld public final static io.trivet.observe.ConnectionState DRAINING
fld public final static io.trivet.observe.ConnectionState INPUT_ENDED
fld public final static io.trivet.observe.ConnectionState LINGERING
fld public final static io.trivet.observe.ConnectionState OPEN
meth public static io.trivet.observe.ConnectionState valueOf(java.lang.String)
meth public static io.trivet.observe.ConnectionState[] values()
supr java.lang.Enum<io.trivet.observe.ConnectionState>

CLSS public final io.trivet.observe.ListenerSnapshot
cons public init(java.net.InetSocketAddress,io.trivet.observe.ListenerSnapshot$State)
innr public final static !enum State
meth public final boolean equals(java.lang.Object)
meth public final int hashCode()
meth public final java.lang.String toString()
meth public io.trivet.observe.ListenerSnapshot$State state()
meth public java.net.InetSocketAddress address()
supr java.lang.Record

CLSS public final static !enum io.trivet.observe.ListenerSnapshot$State
 outer io.trivet.observe.ListenerSnapshot
fld public final static io.trivet.observe.ListenerSnapshot$State ACCEPTING
fld public final static io.trivet.observe.ListenerSnapshot$State AT_LIMIT
fld public final static io.trivet.observe.ListenerSnapshot$State AWAITING_HANDOVER
fld public final static io.trivet.observe.ListenerSnapshot$State BACKED_OFF
fld public final static io.trivet.observe.ListenerSnapshot$State CLOSED
meth public java.lang.String description()
meth public static io.trivet.observe.ListenerSnapshot$State valueOf(java.lang.String)
meth public static io.trivet.observe.ListenerSnapshot$State[] values()
supr java.lang.Enum<io.trivet.observe.ListenerSnapshot$State>

CLSS public final !enum io.trivet.observe.LoopEvent
fld public final static io.trivet.observe.LoopEvent ACCEPTED
fld public final static io.trivet.observe.LoopEvent CLOSED
fld public final static io.trivet.observe.LoopEvent DELIVERED
fld public final static io.trivet.observe.LoopEvent DROPPED
fld public final static io.trivet.observe.LoopEvent INPUT_ENDED
fld public final static io.trivet.observe.LoopEvent OPENED
fld public final static io.trivet.observe.LoopEvent QUEUE_HIGH
fld public final static io.trivet.observe.LoopEvent QUEUE_LOW
fld public final static io.trivet.observe.LoopEvent RECEIVED
fld public final static io.trivet.observe.LoopEvent SENT
fld public final static io.trivet.observe.LoopEvent SOCKET_DRAINED
fld public final static io.trivet.observe.LoopEvent SOCKET_FULL
fld public final static io.trivet.observe.LoopEvent TASKS
fld public final static io.trivet.observe.LoopEvent URGENT
fld public final static io.trivet.observe.LoopEvent WRITABLE
meth public static io.trivet.observe.LoopEvent valueOf(java.lang.String)
meth public static io.trivet.observe.LoopEvent[] values()
supr java.lang.Enum<io.trivet.observe.LoopEvent>

CLSS public abstract interface io.trivet.observe.LoopObserver
meth public abstract void event(int,io.trivet.observe.LoopEvent,long,long)
meth public abstract void turned(int,long,long,int)

CLSS public final io.trivet.observe.LoopStats
cons public init(int,long,long,long,long,long,long,long,long,long,long,long,long)
meth public final boolean equals(java.lang.Object)
meth public final int hashCode()
meth public final java.lang.String toString()
meth public int connections()
meth public io.trivet.observe.LoopStats plus(io.trivet.observe.LoopStats)
meth public long acceptFailures()
meth public long accepted()
meth public long bytesIn()
meth public long bytesOut()
meth public long closed()
meth public long completions()
meth public long dropped()
meth public long messagesIn()
meth public long messagesOut()
meth public long refused()
meth public long tasks()
meth public long turns()
supr java.lang.Record

CLSS public final io.trivet.observe.MemoryStats
cons public init(long,long,long,long,long,long)
meth public final boolean equals(java.lang.Object)
meth public final int hashCode()
meth public final java.lang.String toString()
meth public io.trivet.observe.MemoryStats plus(io.trivet.observe.MemoryStats)
meth public long buffers()
meth public long input()
meth public long queues()
meth public long rings()
meth public long spare()
meth public long tls()
meth public long total()
supr java.lang.Record

CLSS public final !enum io.trivet.observe.ReadState
fld public final static io.trivet.observe.ReadState AWAITING_PROXY_HEADER
fld public final static io.trivet.observe.ReadState CLOSED
fld public final static io.trivet.observe.ReadState CONNECTING
fld public final static io.trivet.observe.ReadState CONNECTING_BY_NAME
fld public final static io.trivet.observe.ReadState DELIVERY_PENDING
fld public final static io.trivet.observe.ReadState DRAINING
fld public final static io.trivet.observe.ReadState HANDSHAKING
fld public final static io.trivet.observe.ReadState INPUT_ENDED
fld public final static io.trivet.observe.ReadState PAUSED_BY_APPLICATION
fld public final static io.trivet.observe.ReadState PAUSED_BY_QUEUE
fld public final static io.trivet.observe.ReadState PAUSED_BY_RELAY
fld public final static io.trivet.observe.ReadState PAUSED_BY_SESSION
fld public final static io.trivet.observe.ReadState READING
fld public final static io.trivet.observe.ReadState READING_TO_END
fld public final static io.trivet.observe.ReadState RELAYING
meth public java.lang.String description()
meth public static io.trivet.observe.ReadState valueOf(java.lang.String)
meth public static io.trivet.observe.ReadState[] values()
supr java.lang.Enum<io.trivet.observe.ReadState>

CLSS public final io.trivet.observe.ServerStats
cons public init(io.trivet.observe.LoopStats,java.util.List<io.trivet.observe.LoopStats>,long,long,io.trivet.observe.MemoryStats,java.util.Map<io.trivet.observe.CloseReason,java.lang.Long>)
meth public final boolean equals(java.lang.Object)
meth public final int hashCode()
meth public final java.lang.String toString()
meth public io.trivet.observe.LoopStats total()
meth public io.trivet.observe.MemoryStats memory()
meth public java.util.List<io.trivet.observe.LoopStats> loops()
meth public java.util.Map<io.trivet.observe.CloseReason,java.lang.Long> closed()
meth public long queueBytes()
meth public long queueBytesMax()
supr java.lang.Record

CLSS public final io.trivet.select.FdSet
cons public init()
cons public init(io.trivet.select.FdSet)
fld public final static int SETSIZE = 1024
meth public boolean equals(java.lang.Object)
meth public boolean isEmpty()
meth public boolean isSet(int)
meth public int hashCode()
meth public int highest()
meth public int next(int)
meth public java.lang.String toString()
meth public void clr(int)
meth public void forEach(java.util.function.IntConsumer)
meth public void set(int)
meth public void zero()
supr java.lang.Object

CLSS public final io.trivet.select.NetworkSelect
meth public <%0 extends io.trivet.net.Selectable> io.trivet.select.Ready<{%%0}> select(java.util.Collection<? extends {%%0}>,java.util.Collection<? extends {%%0}>,java.util.Collection<? extends {%%0}>,java.time.Duration) throws java.io.IOException
meth public int select(int,io.trivet.select.FdSet,io.trivet.select.FdSet,io.trivet.select.FdSet,java.time.Duration) throws java.io.IOException
supr java.lang.Object

CLSS public final io.trivet.select.Ready<%0 extends java.lang.Object>
cons public init(java.util.List<{io.trivet.select.Ready%0}>,java.util.List<{io.trivet.select.Ready%0}>,java.util.List<{io.trivet.select.Ready%0}>)
meth public boolean isEmpty()
meth public final boolean equals(java.lang.Object)
meth public final int hashCode()
meth public final java.lang.String toString()
meth public java.util.List<{io.trivet.select.Ready%0}> exceptional()
meth public java.util.List<{io.trivet.select.Ready%0}> readable()
meth public java.util.List<{io.trivet.select.Ready%0}> writable()
supr java.lang.Record

CLSS public final io.trivet.select.Select
meth public static <%0 extends io.trivet.net.Selectable> io.trivet.select.Ready<{%%0}> select(java.util.Collection<? extends {%%0}>,java.util.Collection<? extends {%%0}>,java.util.Collection<? extends {%%0}>,java.time.Duration) throws java.io.IOException
meth public static int select(int,io.trivet.select.FdSet,io.trivet.select.FdSet,io.trivet.select.FdSet,java.time.Duration) throws java.io.IOException
meth public static io.trivet.select.NetworkSelect on(io.trivet.net.Network)
supr java.lang.Object

CLSS public final io.trivet.server.AccessList
meth public !varargs io.trivet.server.AccessList allow(io.trivet.net.Cidr[])
meth public !varargs io.trivet.server.AccessList deny(io.trivet.net.Cidr[])
meth public boolean allows(java.net.InetAddress)
meth public java.lang.String toString()
meth public static io.trivet.server.AccessList all()
supr java.lang.Object

CLSS public final io.trivet.server.Connection
meth public <%0 extends java.lang.Object> void setOption(java.net.SocketOption<{%%0}>,{%%0}) throws java.io.IOException
meth public <%0 extends java.lang.Object> {%%0} getOption(java.net.SocketOption<{%%0}>) throws java.io.IOException
meth public int loop()
meth public io.trivet.observe.ConnectionState state()
meth public io.trivet.server.Connection connect(io.trivet.net.UnixAddress,io.trivet.server.Protocol,java.lang.Object)
meth public io.trivet.server.Connection connect(java.net.InetSocketAddress,io.trivet.server.Protocol,java.lang.Object)
meth public io.trivet.server.Limits limits()
meth public io.trivet.server.MessageQueue queue()
meth public io.trivet.server.ScheduledTask schedule(java.time.Duration,java.lang.Runnable)
meth public io.trivet.server.SendResult offer(byte[])
meth public io.trivet.server.SendResult offer(java.lang.String)
meth public io.trivet.server.SendResult offer(java.nio.ByteBuffer)
meth public io.trivet.server.SendResult relayTo(io.trivet.server.Connection)
meth public io.trivet.server.SendResult relayTo(io.trivet.server.Connection,long,io.trivet.server.TransferListener)
meth public io.trivet.server.SendResult send(byte[])
meth public io.trivet.server.SendResult send(java.lang.String)
meth public io.trivet.server.SendResult send(java.nio.ByteBuffer)
meth public io.trivet.server.SendResult send(java.nio.ByteBuffer,io.trivet.server.TransferListener)
meth public io.trivet.server.SendResult sendFile(java.nio.file.Path,long,long,io.trivet.server.TransferListener) throws java.io.IOException
meth public io.trivet.server.SendResult sendFirst(byte[])
meth public io.trivet.server.SendResult sendFirst(java.lang.String)
meth public io.trivet.server.SendResult sendFirst(java.nio.ByteBuffer)
meth public io.trivet.server.SendResult sendFrom(java.nio.channels.ReadableByteChannel,long,io.trivet.server.TransferListener)
meth public io.trivet.server.Server server()
meth public io.trivet.tls.TlsInfo tls()
meth public java.io.IOException failure()
meth public java.lang.Object attachment()
meth public java.lang.String toString()
meth public java.net.InetSocketAddress localAddress()
meth public java.net.InetSocketAddress remoteAddress()
meth public long id()
meth public void attachment(java.lang.Object)
meth public void close()
meth public void continueTransfer()
meth public void execute(java.lang.Runnable)
meth public void finish()
meth public void finishOutput()
meth public void limits(io.trivet.server.Limits)
meth public void pauseReading()
meth public void receiveParts(long)
meth public void reset()
meth public void resumeReading()
meth public void sendUrgent(byte)
meth public void startTls(io.trivet.tls.Tls)
meth public void upgrade(io.trivet.server.Framing,io.trivet.server.Handler)
supr java.lang.Object

CLSS public final io.trivet.server.ConnectionClosedException
meth public io.trivet.observe.CloseReason reason()
supr java.io.IOException

CLSS public final io.trivet.server.Frame
meth public int searchFrom()
meth public void message(int,int,int)
meth public void payloadAtLeast(long)
meth public void scannedTo(int)
meth public void skip(int)
supr java.lang.Object

CLSS public abstract interface io.trivet.server.FrameDecoder
 anno 0 java.lang.FunctionalInterface()
meth public abstract void decode(java.nio.ByteBuffer,int,int,io.trivet.server.Frame) throws java.lang.Exception

CLSS public abstract interface io.trivet.server.FrameEncoder
meth public abstract int headLength(int)
meth public abstract void putHead(java.nio.ByteBuffer,int)
meth public byte[] tail()
meth public long messageBytesMax()

CLSS public final io.trivet.server.Framing
meth public !varargs static io.trivet.server.Framing delimited(byte[])
meth public io.trivet.server.Framing withEncoder(io.trivet.server.FrameEncoder)
meth public io.trivet.server.Framing withRemainder(io.trivet.server.Remainder)
meth public java.lang.String toString()
meth public static io.trivet.server.Framing lengthPrefixed(int)
meth public static io.trivet.server.Framing lines()
meth public static io.trivet.server.Framing lines(java.lang.String)
meth public static io.trivet.server.Framing of(io.trivet.server.FrameDecoder)
meth public static io.trivet.server.Framing perConnection(java.util.function.Supplier<? extends io.trivet.server.FrameDecoder>)
meth public static io.trivet.server.Framing raw()
supr java.lang.Object

CLSS public final io.trivet.server.FramingTester
innr public final static Decoded
innr public final static Failure
meth public !varargs io.trivet.server.FramingTester$Decoded decode(byte[],int[]) throws io.trivet.server.FramingTester$Failure
meth public io.trivet.server.FramingTester withLimits(io.trivet.server.Limits)
meth public io.trivet.server.FramingTester$Decoded decodeByteByByte(byte[]) throws io.trivet.server.FramingTester$Failure
meth public io.trivet.server.FramingTester$Decoded decodeCutAnywhere(byte[]) throws io.trivet.server.FramingTester$Failure
meth public static io.trivet.server.FramingTester of(io.trivet.server.Framing)
supr java.lang.Object

CLSS public final static io.trivet.server.FramingTester$Decoded
 outer io.trivet.server.FramingTester
cons public init(java.util.List<java.nio.ByteBuffer>,java.nio.ByteBuffer)
meth public final boolean equals(java.lang.Object)
meth public final int hashCode()
meth public final java.lang.String toString()
meth public java.nio.ByteBuffer remainder()
meth public java.util.List<java.lang.String> texts()
meth public java.util.List<java.nio.ByteBuffer> messages()
supr java.lang.Record

CLSS public final static io.trivet.server.FramingTester$Failure
 outer io.trivet.server.FramingTester
meth public io.trivet.observe.CloseReason reason()
meth public java.util.List<java.nio.ByteBuffer> messages()
supr java.net.ProtocolException

CLSS public abstract interface io.trivet.server.Handler
 anno 0 java.lang.FunctionalInterface()
meth public abstract void onMessage(io.trivet.server.Connection,java.nio.ByteBuffer) throws java.lang.Exception
meth public void onClose(io.trivet.server.Connection,io.trivet.observe.CloseReason) throws java.lang.Exception
meth public void onDrained(io.trivet.server.Connection) throws java.lang.Exception
meth public void onDropped(io.trivet.server.Connection,int,long) throws java.lang.Exception
meth public void onEndOfInput(io.trivet.server.Connection) throws java.lang.Exception
meth public void onOpen(io.trivet.server.Connection) throws java.lang.Exception
meth public void onPart(io.trivet.server.Connection,java.nio.ByteBuffer,boolean) throws java.lang.Exception
meth public void onUrgent(io.trivet.server.Connection,byte) throws java.lang.Exception

CLSS public final io.trivet.server.Handover
intf java.lang.AutoCloseable
meth public boolean isHandedOver()
meth public boolean isTaken()
meth public java.util.List<io.trivet.net.TcpListener> listeners()
meth public static io.trivet.server.Handover open(io.trivet.net.Network,io.trivet.net.UnixAddress) throws java.io.IOException
meth public void beforeDrain(java.lang.Runnable)
meth public void close() throws java.io.IOException
meth public void complete(io.trivet.server.Server,java.time.Duration,java.time.Duration,java.util.function.Consumer<io.trivet.net.PeerCredentials>) throws java.io.IOException
supr java.lang.Object

CLSS public final io.trivet.server.Limits
cons public init(int,int,int,int,int,long,int,java.time.Duration,java.time.Duration,java.time.Duration,java.time.Duration,java.time.Duration,java.time.Duration,java.time.Duration,long,java.time.Duration)
meth public final boolean equals(java.lang.Object)
meth public final int hashCode()
meth public final java.lang.String toString()
meth public int connectionsMax()
meth public int connectionsPerAddressMax()
meth public int messageBytesMax()
meth public int queueBytesMax()
meth public int queueHighBytes()
meth public int queueLowBytes()
meth public io.trivet.server.Limits withConnectTimeout(java.time.Duration)
meth public io.trivet.server.Limits withConnectionsMax(int)
meth public io.trivet.server.Limits withConnectionsPerAddressMax(int)
meth public io.trivet.server.Limits withFirstMessageTimeout(java.time.Duration)
meth public io.trivet.server.Limits withHandlerTimeout(java.time.Duration)
meth public io.trivet.server.Limits withIdleTimeout(java.time.Duration)
meth public io.trivet.server.Limits withLingerBytesMax(long)
meth public io.trivet.server.Limits withLingerTimeout(java.time.Duration)
meth public io.trivet.server.Limits withMessageBytesMax(int)
meth public io.trivet.server.Limits withMessageTimeout(java.time.Duration)
meth public io.trivet.server.Limits withQueueBudgetBytes(long)
meth public io.trivet.server.Limits withQueueBytesMax(int)
meth public io.trivet.server.Limits withQueueMarks(int,int)
meth public io.trivet.server.Limits withReadIdleTimeout(java.time.Duration)
meth public io.trivet.server.Limits withWriteTimeout(java.time.Duration)
meth public java.time.Duration connectTimeout()
meth public java.time.Duration firstMessageTimeout()
meth public java.time.Duration handlerTimeout()
meth public java.time.Duration idleTimeout()
meth public java.time.Duration lingerTimeout()
meth public java.time.Duration messageTimeout()
meth public java.time.Duration readIdleTimeout()
meth public java.time.Duration writeTimeout()
meth public long lingerBytesMax()
meth public long queueBudgetBytes()
meth public static io.trivet.server.Limits defaults()
supr java.lang.Record

CLSS public final io.trivet.server.MessageQueue
meth public boolean isHigh()
meth public int bytes()
meth public int bytesMax()
meth public int highBytes()
meth public int lowBytes()
meth public int messages()
meth public java.time.Duration oldestAge()
supr java.lang.Object

CLSS public final io.trivet.server.Messages
meth public static boolean equalsAscii(java.nio.ByteBuffer,java.lang.String)
meth public static boolean equalsIgnoreCaseAscii(java.nio.ByteBuffer,java.lang.String)
meth public static byte[] bytes(java.nio.ByteBuffer)
meth public static java.lang.String text(java.nio.ByteBuffer)
meth public static java.lang.String text(java.nio.ByteBuffer,java.nio.charset.Charset)
meth public static long parseLong(java.nio.ByteBuffer)
meth public static long parseLong(java.nio.ByteBuffer,int,int)
supr java.lang.Object

CLSS public final !enum io.trivet.server.Overflow
fld public final static io.trivet.server.Overflow DISCONNECT
fld public final static io.trivet.server.Overflow DROP_OLDEST
fld public final static io.trivet.server.Overflow PAUSE_READING
meth public static io.trivet.server.Overflow valueOf(java.lang.String)
meth public static io.trivet.server.Overflow[] values()
supr java.lang.Enum<io.trivet.server.Overflow>

CLSS public final io.trivet.server.Protocol
meth public io.trivet.server.Protocol withLimits(io.trivet.server.Limits)
meth public io.trivet.server.Protocol withLocalAddress(java.net.InetSocketAddress)
meth public io.trivet.server.Protocol withOverflow(io.trivet.server.Overflow)
meth public io.trivet.server.Protocol withProxyHeader(io.trivet.server.ProxyHeader)
meth public io.trivet.server.Protocol withTls(io.trivet.tls.Tls)
meth public io.trivet.server.Protocol withUrgent(boolean)
meth public static io.trivet.server.Protocol of(io.trivet.server.Framing,io.trivet.server.Handler)
meth public static io.trivet.server.Protocol perConnection(io.trivet.server.Framing,java.util.function.Supplier<? extends io.trivet.server.Handler>)
meth public static io.trivet.server.Protocol session(io.trivet.server.Framing,io.trivet.server.SessionHandler)
supr java.lang.Object

CLSS public final io.trivet.server.ProxyHeader
meth public boolean equals(java.lang.Object)
meth public int hashCode()
meth public java.lang.String toString()
meth public static io.trivet.server.ProxyHeader local()
meth public static io.trivet.server.ProxyHeader v1(java.net.InetSocketAddress,java.net.InetSocketAddress)
meth public static io.trivet.server.ProxyHeader v2(java.net.InetSocketAddress,java.net.InetSocketAddress)
supr java.lang.Object

CLSS public final !enum io.trivet.server.Remainder
fld public final static io.trivet.server.Remainder DELIVER
fld public final static io.trivet.server.Remainder DROP
fld public final static io.trivet.server.Remainder ERROR
meth public static io.trivet.server.Remainder valueOf(java.lang.String)
meth public static io.trivet.server.Remainder[] values()
supr java.lang.Enum<io.trivet.server.Remainder>

CLSS public abstract interface io.trivet.server.ScheduledTask
meth public abstract boolean cancel()

CLSS public final !enum io.trivet.server.SendResult
fld public final static io.trivet.server.SendResult CLOSED
fld public final static io.trivet.server.SendResult FULL
fld public final static io.trivet.server.SendResult QUEUED
meth public static io.trivet.server.SendResult valueOf(java.lang.String)
meth public static io.trivet.server.SendResult[] values()
supr java.lang.Enum<io.trivet.server.SendResult>

CLSS public final io.trivet.server.Server
intf java.lang.AutoCloseable
meth public boolean isClosed()
meth public int turn(java.time.Duration) throws java.io.IOException
meth public io.trivet.net.Network network()
meth public io.trivet.observe.ServerStats stats()
meth public io.trivet.server.Connection connect(io.trivet.net.UnixAddress,io.trivet.server.Protocol,java.lang.Object)
meth public io.trivet.server.Connection connect(java.net.InetSocketAddress,io.trivet.server.Handler)
meth public io.trivet.server.Connection connect(java.net.InetSocketAddress,io.trivet.server.Handler,java.lang.Object)
meth public io.trivet.server.Connection connect(java.net.InetSocketAddress,io.trivet.server.Handler,java.lang.Object,java.time.Duration)
meth public io.trivet.server.Connection connect(java.net.InetSocketAddress,io.trivet.server.Handler,java.time.Duration)
meth public io.trivet.server.Connection connect(java.net.InetSocketAddress,io.trivet.server.Protocol,java.lang.Object)
meth public io.trivet.server.Connection connection(long)
meth public io.trivet.server.Limits limits()
meth public io.trivet.server.Overflow overflow()
meth public io.trivet.server.ScheduledTask schedule(java.time.Duration,java.lang.Runnable)
meth public java.lang.Throwable failure()
meth public java.net.InetSocketAddress address()
meth public java.util.List<io.trivet.observe.ClosedConnection> recentlyClosed()
meth public java.util.List<io.trivet.observe.ConnectionSnapshot> connections()
meth public java.util.List<io.trivet.observe.ListenerSnapshot> listeners()
meth public java.util.List<java.net.InetSocketAddress> addresses()
meth public static io.trivet.server.ServerBuilder builder()
meth public void broadcast(java.nio.ByteBuffer)
meth public void broadcast(java.nio.ByteBuffer,java.util.Collection<io.trivet.server.Connection>)
meth public void close()
meth public void drain(java.time.Duration)
meth public void execute(java.lang.Runnable)
meth public void join() throws java.lang.InterruptedException
meth public void observe(io.trivet.observe.LoopObserver)
supr java.lang.Object

CLSS public final io.trivet.server.ServerBuilder
meth public !varargs io.trivet.server.ServerBuilder proxyProtocol(io.trivet.net.Cidr[])
meth public io.trivet.server.Server open() throws java.io.IOException
meth public io.trivet.server.Server start() throws java.io.IOException
meth public io.trivet.server.ServerBuilder access(io.trivet.server.AccessList)
meth public io.trivet.server.ServerBuilder backlog(int)
meth public io.trivet.server.ServerBuilder enableTls()
meth public io.trivet.server.ServerBuilder framing(io.trivet.server.Framing)
meth public io.trivet.server.ServerBuilder handler(io.trivet.server.Handler)
meth public io.trivet.server.ServerBuilder handlers(java.util.function.Supplier<? extends io.trivet.server.Handler>)
meth public io.trivet.server.ServerBuilder limits(io.trivet.server.Limits)
meth public io.trivet.server.ServerBuilder listen(io.trivet.net.TcpListener)
meth public io.trivet.server.ServerBuilder listen(io.trivet.net.TcpListener,io.trivet.server.Protocol)
meth public io.trivet.server.ServerBuilder listen(io.trivet.net.UnixAddress)
meth public io.trivet.server.ServerBuilder listen(io.trivet.net.UnixAddress,io.trivet.server.Protocol)
meth public io.trivet.server.ServerBuilder listen(io.trivet.server.Handover)
meth public io.trivet.server.ServerBuilder listen(java.net.InetSocketAddress)
meth public io.trivet.server.ServerBuilder listen(java.net.InetSocketAddress,io.trivet.server.Protocol)
meth public io.trivet.server.ServerBuilder listenOptions(io.trivet.net.ListenOptions)
meth public io.trivet.server.ServerBuilder loops(int)
meth public io.trivet.server.ServerBuilder network(io.trivet.net.Network)
meth public io.trivet.server.ServerBuilder onMessage(io.trivet.server.Handler)
meth public io.trivet.server.ServerBuilder overflow(io.trivet.server.Overflow)
meth public io.trivet.server.ServerBuilder session(io.trivet.server.SessionHandler)
meth public io.trivet.server.ServerBuilder socketFile(io.trivet.net.SocketFile)
meth public io.trivet.server.ServerBuilder tls(io.trivet.tls.TlsServer)
meth public io.trivet.server.ServerBuilder urgent(boolean)
supr java.lang.Object

CLSS public final io.trivet.server.Session
meth public io.trivet.server.Connection connection()
meth public java.lang.String toString()
meth public java.nio.ByteBuffer receive() throws java.io.IOException
meth public java.nio.ByteBuffer receive(java.time.Duration) throws java.io.IOException
meth public void send(byte[]) throws java.io.IOException
meth public void send(java.lang.String) throws java.io.IOException
meth public void send(java.nio.ByteBuffer) throws java.io.IOException
meth public void sleep(java.time.Duration) throws java.io.IOException
meth public void startTls(io.trivet.tls.TlsClient) throws java.io.IOException
meth public void startTls(io.trivet.tls.TlsServer,java.lang.String) throws java.io.IOException
supr java.lang.Object

CLSS public abstract interface io.trivet.server.SessionHandler
 anno 0 java.lang.FunctionalInterface()
meth public abstract void run(io.trivet.server.Session) throws java.lang.Exception

CLSS public abstract interface io.trivet.server.TransferListener
 anno 0 java.lang.FunctionalInterface()
meth public abstract void done(io.trivet.server.Connection,long,java.io.IOException) throws java.lang.Exception

CLSS public final !enum io.trivet.sim.ClientEnd
fld public final static io.trivet.sim.ClientEnd CLOSED
fld public final static io.trivet.sim.ClientEnd ENDED
fld public final static io.trivet.sim.ClientEnd OPEN
fld public final static io.trivet.sim.ClientEnd REFUSED
fld public final static io.trivet.sim.ClientEnd RESET
meth public static io.trivet.sim.ClientEnd valueOf(java.lang.String)
meth public static io.trivet.sim.ClientEnd[] values()
supr java.lang.Enum<io.trivet.sim.ClientEnd>

CLSS public final io.trivet.sim.ClientOracle
meth public !varargs static io.trivet.sim.ClientOracle expecting(java.lang.String[])
meth public boolean check(io.trivet.sim.SimClient)
meth public io.trivet.sim.ClientOracle and(java.util.Collection<java.lang.String>)
meth public io.trivet.sim.ClientOracle andBytes(java.util.Collection<byte[]>)
meth public io.trivet.sim.ClientOracle andBytesUpTo(java.util.Collection<byte[]>)
meth public io.trivet.sim.ClientOracle andUpTo(java.util.Collection<java.lang.String>)
meth public io.trivet.sim.ClientOracle mayDrop()
meth public io.trivet.sim.ClientOracle mayEndEarly()
meth public io.trivet.sim.ClientOracle mayRefuse()
meth public io.trivet.sim.ClientOracle mayReset()
meth public io.trivet.sim.ClientOracle mayStartLate()
meth public static io.trivet.sim.ClientOracle expecting(java.util.Collection<java.lang.String>)
meth public static io.trivet.sim.ClientOracle expectingBytes(java.util.Collection<byte[]>)
meth public void checkSoFar(io.trivet.sim.SimClient)
supr java.lang.Object

CLSS public final !enum io.trivet.sim.Fault
fld public final static io.trivet.sim.Fault ACCEPT_ABORTED
fld public final static io.trivet.sim.Fault ACCEPT_NO_DESCRIPTOR
fld public final static io.trivet.sim.Fault ACCEPT_NO_MEMORY
fld public final static io.trivet.sim.Fault ACCEPT_WOULD_BLOCK
fld public final static io.trivet.sim.Fault BUFFERS_EXHAUSTED
fld public final static io.trivet.sim.Fault CANCEL_LOSES
fld public final static io.trivet.sim.Fault CLOCK_JUMP
fld public final static io.trivet.sim.Fault CLOG
fld public final static io.trivet.sim.Fault COMPLETIONS_OVERFLOW
fld public final static io.trivet.sim.Fault COMPLETION_LATE
fld public final static io.trivet.sim.Fault CONNECT_IGNORED
fld public final static io.trivet.sim.Fault CONNECT_LATE
fld public final static io.trivet.sim.Fault CONNECT_REFUSED
fld public final static io.trivet.sim.Fault CONNECT_UNREACHABLE
fld public final static io.trivet.sim.Fault DATAGRAM_DUPLICATED
fld public final static io.trivet.sim.Fault DATAGRAM_LATE
fld public final static io.trivet.sim.Fault DATAGRAM_LOST
fld public final static io.trivet.sim.Fault DRIBBLE
fld public final static io.trivet.sim.Fault INTERRUPTED
fld public final static io.trivet.sim.Fault LATENCY
fld public final static io.trivet.sim.Fault MULTISHOT_ENDS
fld public final static io.trivet.sim.Fault READY_FEWER
fld public final static io.trivet.sim.Fault READY_LATE
fld public final static io.trivet.sim.Fault READY_SHUFFLED
fld public final static io.trivet.sim.Fault READY_SPURIOUS
fld public final static io.trivet.sim.Fault READ_WOULD_BLOCK
fld public final static io.trivet.sim.Fault RESET
fld public final static io.trivet.sim.Fault SEND_LATE
fld public final static io.trivet.sim.Fault SHORT_READ
fld public final static io.trivet.sim.Fault SHORT_WRITE
fld public final static io.trivet.sim.Fault SOCKET_REFUSED
fld public final static io.trivet.sim.Fault STALL
fld public final static io.trivet.sim.Fault WATCH_REFUSED
fld public final static io.trivet.sim.Fault WRITE_WOULD_BLOCK
meth public double usualProbability()
meth public static io.trivet.sim.Fault valueOf(java.lang.String)
meth public static io.trivet.sim.Fault[] values()
supr java.lang.Enum<io.trivet.sim.Fault>

CLSS public final io.trivet.sim.FaultPlan
meth public !varargs io.trivet.sim.FaultPlan only(io.trivet.sim.Fault[])
meth public !varargs io.trivet.sim.FaultPlan without(io.trivet.sim.Fault[])
meth public boolean equals(java.lang.Object)
meth public double probability(io.trivet.sim.Fault)
meth public int hashCode()
meth public io.trivet.sim.FaultPlan with(io.trivet.sim.Fault,double)
meth public java.lang.String toString()
meth public java.util.Set<io.trivet.sim.Fault> faults()
meth public static io.trivet.sim.FaultPlan all()
meth public static io.trivet.sim.FaultPlan none()
meth public static io.trivet.sim.FaultPlan of(long)
supr java.lang.Object

CLSS public final io.trivet.sim.SimClient
meth public boolean isDone()
meth public byte[] received()
meth public byte[] sent()
meth public io.trivet.sim.ClientEnd end()
meth public io.trivet.sim.SimClient await(java.lang.String)
meth public io.trivet.sim.SimClient awaitBytes(int)
meth public io.trivet.sim.SimClient close()
meth public io.trivet.sim.SimClient endOutput()
meth public io.trivet.sim.SimClient pause(java.time.Duration)
meth public io.trivet.sim.SimClient pauseReading()
meth public io.trivet.sim.SimClient reset()
meth public io.trivet.sim.SimClient resumeReading()
meth public io.trivet.sim.SimClient send(byte[])
meth public io.trivet.sim.SimClient send(java.lang.String)
meth public io.trivet.sim.SimClient sendInPieces(byte[])
meth public io.trivet.sim.SimClient sendInPieces(java.lang.String)
meth public java.io.IOException failure()
meth public java.lang.String receivedText()
meth public java.lang.String toString()
meth public java.net.InetSocketAddress address()
meth public java.util.List<java.lang.String> receivedLines()
meth public java.util.Set<io.trivet.sim.Fault> faults()
meth public static io.trivet.sim.SimClient connect(io.trivet.sim.SimHost,java.net.InetSocketAddress) throws java.io.IOException
meth public static io.trivet.sim.SimClient connect(io.trivet.sim.SimHost,java.net.InetSocketAddress,java.lang.String) throws java.io.IOException
supr java.lang.Object

CLSS public final io.trivet.sim.SimClock
intf io.trivet.net.Clock
meth public java.time.Duration elapsed()
meth public long elapsedNanos()
meth public long nanoTime()
supr java.lang.Object

CLSS public final !enum io.trivet.sim.SimEngine
fld public final static io.trivet.sim.SimEngine EPOLL
fld public final static io.trivet.sim.SimEngine POLL
fld public final static io.trivet.sim.SimEngine SELECT
fld public final static io.trivet.sim.SimEngine URING
meth public java.lang.String toString()
meth public static io.trivet.sim.SimEngine valueOf(java.lang.String)
meth public static io.trivet.sim.SimEngine[] values()
supr java.lang.Enum<io.trivet.sim.SimEngine>

CLSS public io.trivet.sim.SimHost
intf io.trivet.net.Network
meth public final boolean supports(io.trivet.net.Capability)
meth public final boolean turnsLoops()
meth public final int openDescriptors()
meth public final int selectOnce(io.trivet.net.Socket[],int[],int,long) throws java.io.IOException
meth public final io.trivet.net.Descriptor descriptor(int)
meth public final io.trivet.net.Descriptor openFile() throws io.trivet.net.NetworkException
meth public final io.trivet.net.Pipe pipe() throws java.io.IOException
meth public final io.trivet.net.Poller poller() throws java.io.IOException
meth public final io.trivet.net.Proactor proactor() throws java.io.IOException
meth public final io.trivet.net.SendableFile openFile(java.nio.file.Path) throws java.io.IOException
meth public final io.trivet.net.TcpListener listen(java.net.InetSocketAddress,int) throws java.io.IOException
meth public final io.trivet.net.TcpStream connect(io.trivet.net.UnixAddress,io.trivet.net.UnixAddress) throws io.trivet.net.NetworkException
meth public final io.trivet.net.TcpStream connect(java.net.InetSocketAddress) throws java.io.IOException
meth public final io.trivet.net.TcpStream connect(java.net.InetSocketAddress,java.net.InetSocketAddress) throws java.io.IOException
meth public final io.trivet.net.UdpSocket udp(java.net.InetSocketAddress) throws java.io.IOException
meth public final io.trivet.sim.SimClock clock()
meth public final io.trivet.sim.SimEngine engine()
meth public final java.lang.Object family()
meth public final java.lang.String describeDescriptors()
meth public final java.lang.System$Logger logger(java.lang.String)
meth public final java.net.InetAddress address()
meth public final void attach(io.trivet.net.Loop)
meth public final void descriptorLimit(int)
meth public java.lang.String name()
meth public java.lang.String toString()
supr java.lang.Object

CLSS public final io.trivet.sim.SimNetwork
meth public boolean leftUnread(java.net.InetSocketAddress)
meth public boolean runUntil(java.util.function.BooleanSupplier,java.time.Duration) throws java.io.IOException
meth public io.trivet.sim.FaultPlan plan()
meth public io.trivet.sim.SimHost host(java.net.InetAddress)
meth public io.trivet.sim.SimHost host(java.net.InetAddress,io.trivet.sim.SimEngine,io.trivet.sim.FaultPlan)
meth public java.lang.String toString()
meth public java.security.SecureRandom secureRandom()
meth public java.util.Map<io.trivet.sim.Fault,java.lang.Long> faultCounts()
meth public java.util.Set<io.trivet.sim.Fault> faultsOf(java.net.InetSocketAddress)
meth public long faultCount(io.trivet.sim.Fault)
meth public long rounds()
meth public long seed()
meth public static io.trivet.sim.SimNetwork of(long,io.trivet.sim.FaultPlan)
meth public static io.trivet.sim.SimNetwork of(long,io.trivet.sim.FaultPlan,io.trivet.sim.SimEngine)
meth public void buffers(int,int)
meth public void run(java.time.Duration) throws java.io.IOException
meth public void stopFaults()
meth public void trace(io.trivet.sim.SimTrace)
supr io.trivet.sim.SimHost

CLSS public abstract interface io.trivet.sim.SimTrace
 anno 0 java.lang.FunctionalInterface()
meth public abstract void event(long,java.lang.String)

CLSS public final io.trivet.sim.TortureNetwork
intf io.trivet.net.Network
meth public boolean supports(io.trivet.net.Capability)
meth public int selectOnce(io.trivet.net.Socket[],int[],int,long) throws java.io.IOException
meth public io.trivet.net.Clock clock()
meth public io.trivet.net.Descriptor descriptor(int)
meth public io.trivet.net.Network forOneCall()
meth public io.trivet.net.Pipe pipe() throws java.io.IOException
meth public io.trivet.net.Poller poller() throws java.io.IOException
meth public io.trivet.net.SendableFile openFile(java.nio.file.Path) throws java.io.IOException
meth public io.trivet.net.TcpListener listen(io.trivet.net.UnixAddress,io.trivet.net.SocketFile,int) throws java.io.IOException
meth public io.trivet.net.TcpListener listen(java.net.InetSocketAddress,int) throws java.io.IOException
meth public io.trivet.net.TcpListener listen(java.net.InetSocketAddress,int,io.trivet.net.ListenOptions) throws java.io.IOException
meth public io.trivet.net.TcpListener listenIpv6Only(java.net.InetSocketAddress,int) throws java.io.IOException
meth public io.trivet.net.TcpStream connect(java.net.InetSocketAddress) throws java.io.IOException
meth public io.trivet.net.TcpStream connect(java.net.InetSocketAddress,java.net.InetSocketAddress) throws java.io.IOException
meth public io.trivet.net.UdpSocket udp(java.net.InetSocketAddress) throws java.io.IOException
meth public java.lang.Object family()
meth public java.lang.String name()
meth public java.lang.String toString()
meth public java.lang.System$Logger logger(java.lang.String)
meth public java.util.Map<io.trivet.sim.Fault,java.lang.Long> faultCounts()
meth public long faultCount(io.trivet.sim.Fault)
meth public long seed()
meth public static io.trivet.sim.FaultPlan defaults()
meth public static io.trivet.sim.TortureNetwork of(io.trivet.net.Network,long)
meth public static io.trivet.sim.TortureNetwork of(io.trivet.net.Network,long,io.trivet.sim.FaultPlan)
meth public static java.util.Set<io.trivet.sim.Fault> faults()
meth public void attach(io.trivet.net.Loop)
supr java.lang.Object

CLSS public final !enum io.trivet.tls.ClientAuthentication
fld public final static io.trivet.tls.ClientAuthentication NONE
fld public final static io.trivet.tls.ClientAuthentication OPTIONAL
fld public final static io.trivet.tls.ClientAuthentication REQUIRED
meth public static io.trivet.tls.ClientAuthentication valueOf(java.lang.String)
meth public static io.trivet.tls.ClientAuthentication[] values()
supr java.lang.Enum<io.trivet.tls.ClientAuthentication>

CLSS public final io.trivet.tls.FileWatch
intf java.lang.AutoCloseable
meth public void close()
supr java.lang.Object

CLSS public abstract interface io.trivet.tls.Tls
meth public abstract java.time.Duration handshakeTimeout()

CLSS public final io.trivet.tls.TlsClient
innr public final static Builder
intf io.trivet.tls.Tls
meth public boolean reloadIfChanged() throws java.io.IOException
meth public io.trivet.net.EngineStatus chosenEngine()
meth public io.trivet.tls.FileWatch watchFiles(java.time.Duration,java.util.function.Consumer<? super java.io.IOException>)
meth public io.trivet.tls.TlsClient withServerName(java.lang.String)
meth public java.lang.String serverName()
meth public java.lang.String toString()
meth public java.time.Duration handshakeTimeout()
meth public static io.trivet.tls.TlsClient$Builder builder()
meth public void reload() throws java.io.IOException
supr java.lang.Object

CLSS public final static io.trivet.tls.TlsClient$Builder
 outer io.trivet.tls.TlsClient
meth public !varargs io.trivet.tls.TlsClient$Builder applicationProtocols(java.lang.String[])
meth public !varargs io.trivet.tls.TlsClient$Builder cipherSuites(java.lang.String[])
meth public !varargs io.trivet.tls.TlsClient$Builder protocols(java.lang.String[])
meth public io.trivet.tls.TlsClient build() throws java.io.IOException
meth public io.trivet.tls.TlsClient$Builder authorities(java.nio.file.Path)
meth public io.trivet.tls.TlsClient$Builder authorities(java.security.KeyStore)
meth public io.trivet.tls.TlsClient$Builder certificate(java.nio.file.Path,java.nio.file.Path)
meth public io.trivet.tls.TlsClient$Builder certificate(java.nio.file.Path,java.nio.file.Path,char[])
meth public io.trivet.tls.TlsClient$Builder context(javax.net.ssl.SSLContext)
meth public io.trivet.tls.TlsClient$Builder engine(io.trivet.tls.TlsEngineKind)
meth public io.trivet.tls.TlsClient$Builder handshakeTimeout(java.time.Duration)
meth public io.trivet.tls.TlsClient$Builder keyStore(java.security.KeyStore,char[])
meth public io.trivet.tls.TlsClient$Builder secureRandom(java.security.SecureRandom)
meth public io.trivet.tls.TlsClient$Builder withoutHostNameVerification()
supr java.lang.Object

CLSS public final !enum io.trivet.tls.TlsEngineKind
fld public final static io.trivet.tls.TlsEngineKind AUTO
fld public final static io.trivet.tls.TlsEngineKind JDK
fld public final static io.trivet.tls.TlsEngineKind OPENSSL
meth public java.lang.String toString()
meth public static io.trivet.tls.TlsEngineKind valueOf(java.lang.String)
meth public static io.trivet.tls.TlsEngineKind[] values()
meth public static java.util.List<io.trivet.net.EngineStatus> engines()
supr java.lang.Enum<io.trivet.tls.TlsEngineKind>

CLSS public io.trivet.tls.TlsException
cons public init(java.lang.String,java.lang.Throwable)
supr java.io.IOException

CLSS public final io.trivet.tls.TlsInfo
cons public init(io.trivet.tls.TlsEngineKind,java.lang.String,java.lang.String,java.lang.String,java.lang.String,java.util.List<java.security.cert.X509Certificate>)
meth public final boolean equals(java.lang.Object)
meth public final int hashCode()
meth public final java.lang.String toString()
meth public io.trivet.tls.TlsEngineKind engine()
meth public java.lang.String applicationProtocol()
meth public java.lang.String cipherSuite()
meth public java.lang.String protocol()
meth public java.lang.String serverName()
meth public java.util.List<java.security.cert.X509Certificate> peerCertificates()
supr java.lang.Record

CLSS public final io.trivet.tls.TlsProactor
cons public init(io.trivet.net.Proactor,io.trivet.net.Clock)
intf io.trivet.net.Proactor
meth public <%0 extends java.lang.Object> void setOption(long,java.net.SocketOption<{%%0}>,{%%0}) throws java.io.IOException
meth public <%0 extends java.lang.Object> {%%0} getOption(long,java.net.SocketOption<{%%0}>) throws java.io.IOException
meth public boolean hasSendFailed(long)
meth public boolean hasWork()
meth public boolean isBehind()
meth public boolean isSecured(long)
meth public boolean sendUrgent(long,byte) throws java.io.IOException
meth public int interest(long)
meth public int poll(io.trivet.net.Completions,long) throws java.io.IOException
meth public int sendSpliced(long,int) throws java.io.IOException
meth public int splice(long,long,int) throws java.io.IOException
meth public io.trivet.tls.TlsInfo info(long)
meth public java.net.InetSocketAddress localAddress(long)
meth public java.net.InetSocketAddress remoteAddress(long)
meth public long adopt(io.trivet.net.TcpStream) throws java.io.IOException
meth public long bufferBytes()
meth public long connect(java.net.InetSocketAddress) throws java.io.IOException
meth public long connect(java.net.InetSocketAddress,java.net.InetSocketAddress) throws java.io.IOException
meth public long connectionBufferBytes()
meth public long handshakeWaitedNanos(long)
meth public long keptBytes()
meth public long keptBytes(long)
meth public long ringBytes()
meth public long send(long,java.nio.ByteBuffer[],int,int) throws java.io.IOException
meth public long sendFile(long,io.trivet.net.SendableFile,long,long) throws java.io.IOException
meth public long sendNow(long,java.nio.ByteBuffer[],int,int) throws java.io.IOException
meth public long unsentBytes(long)
meth public void accept(io.trivet.net.TcpListener,long) throws java.io.IOException
meth public void close() throws java.io.IOException
meth public void close(long)
meth public void prepare() throws java.io.IOException
meth public void receive(long) throws java.io.IOException
meth public void receivedEarly(long,java.nio.ByteBuffer,int,int)
meth public void reset(long)
meth public void secure(long,io.trivet.tls.Tls) throws java.io.IOException
meth public void shutdownOutput(long) throws java.io.IOException
meth public void stopAccepting(io.trivet.net.TcpListener) throws java.io.IOException
meth public void stopReceiving(long) throws java.io.IOException
meth public void wakeup()
meth public void watchUrgent(long) throws java.io.IOException
supr java.lang.Object

CLSS public final io.trivet.tls.TlsServer
innr public final static Builder
intf io.trivet.tls.Tls
meth public boolean reloadIfChanged() throws java.io.IOException
meth public io.trivet.net.EngineStatus chosenEngine()
meth public io.trivet.tls.FileWatch watchFiles(java.time.Duration,java.util.function.Consumer<? super java.io.IOException>)
meth public java.lang.String toString()
meth public java.time.Duration handshakeTimeout()
meth public static io.trivet.tls.TlsServer of(java.nio.file.Path,java.nio.file.Path) throws java.io.IOException
meth public static io.trivet.tls.TlsServer$Builder builder()
meth public void reload() throws java.io.IOException
supr java.lang.Object

CLSS public final static io.trivet.tls.TlsServer$Builder
 outer io.trivet.tls.TlsServer
meth public !varargs io.trivet.tls.TlsServer$Builder applicationProtocols(java.lang.String[])
meth public !varargs io.trivet.tls.TlsServer$Builder cipherSuites(java.lang.String[])
meth public !varargs io.trivet.tls.TlsServer$Builder protocols(java.lang.String[])
meth public io.trivet.tls.TlsServer build() throws java.io.IOException
meth public io.trivet.tls.TlsServer$Builder certificate(java.nio.file.Path,java.nio.file.Path)
meth public io.trivet.tls.TlsServer$Builder certificate(java.nio.file.Path,java.nio.file.Path,char[])
meth public io.trivet.tls.TlsServer$Builder clientAuthentication(io.trivet.tls.ClientAuthentication,java.nio.file.Path)
meth public io.trivet.tls.TlsServer$Builder clientAuthentication(io.trivet.tls.ClientAuthentication,java.security.KeyStore)
meth public io.trivet.tls.TlsServer$Builder context(javax.net.ssl.SSLContext)
meth public io.trivet.tls.TlsServer$Builder engine(io.trivet.tls.TlsEngineKind)
meth public io.trivet.tls.TlsServer$Builder handshakeTimeout(java.time.Duration)
meth public io.trivet.tls.TlsServer$Builder keyStore(java.security.KeyStore,char[])
meth public io.trivet.tls.TlsServer$Builder secureRandom(java.security.SecureRandom)
supr java.lang.Object

CLSS public io.trivet.tls.TruncatedException
cons public init()
supr java.io.IOException

CLSS public java.io.IOException
cons public init()
cons public init(java.lang.String)
cons public init(java.lang.String,java.lang.Throwable)
cons public init(java.lang.Throwable)
supr java.lang.Exception

CLSS public abstract interface java.io.Serializable

CLSS public abstract interface java.lang.AutoCloseable
meth public abstract void close() throws java.lang.Exception

CLSS public abstract interface java.lang.Comparable<%0 extends java.lang.Object>
meth public abstract int compareTo({java.lang.Comparable%0})

CLSS public abstract java.lang.Enum<%0 extends java.lang.Enum<{java.lang.Enum%0}>>
cons protected init(java.lang.String,int)
innr public final static EnumDesc
intf java.io.Serializable
intf java.lang.Comparable<{java.lang.Enum%0}>
intf java.lang.constant.Constable
meth protected final java.lang.Object clone() throws java.lang.CloneNotSupportedException
meth protected final void finalize()
 anno 0 java.lang.Deprecated(boolean forRemoval=true, java.lang.String since="18")
meth public final boolean equals(java.lang.Object)
meth public final int compareTo({java.lang.Enum%0})
meth public final int hashCode()
meth public final int ordinal()
meth public final java.lang.Class<{java.lang.Enum%0}> getDeclaringClass()
meth public final java.lang.String name()
meth public final java.util.Optional<java.lang.Enum$EnumDesc<{java.lang.Enum%0}>> describeConstable()
meth public java.lang.String toString()
meth public static <%0 extends java.lang.Enum<{%%0}>> {%%0} valueOf(java.lang.Class<{%%0}>,java.lang.String)
supr java.lang.Object

CLSS public java.lang.Exception
cons protected init(java.lang.String,java.lang.Throwable,boolean,boolean)
cons public init()
cons public init(java.lang.String)
cons public init(java.lang.String,java.lang.Throwable)
cons public init(java.lang.Throwable)
supr java.lang.Throwable

CLSS public abstract interface !annotation java.lang.FunctionalInterface
 anno 0 java.lang.annotation.Documented()
 anno 0 java.lang.annotation.Retention(java.lang.annotation.RetentionPolicy value=RUNTIME)
 anno 0 java.lang.annotation.Target(java.lang.annotation.ElementType[] value=[TYPE])
intf java.lang.annotation.Annotation

CLSS public java.lang.Object
cons public init()
meth protected java.lang.Object clone() throws java.lang.CloneNotSupportedException
meth protected void finalize() throws java.lang.Throwable
 anno 0 java.lang.Deprecated(boolean forRemoval=true, java.lang.String since="9")
meth public boolean equals(java.lang.Object)
meth public final java.lang.Class<?> getClass()
meth public final void notify()
meth public final void notifyAll()
meth public final void wait() throws java.lang.InterruptedException
meth public final void wait(long) throws java.lang.InterruptedException
meth public final void wait(long,int) throws java.lang.InterruptedException
meth public int hashCode()
meth public java.lang.String toString()

CLSS public abstract java.lang.Record
cons protected init()
meth public abstract boolean equals(java.lang.Object)
meth public abstract int hashCode()
meth public abstract java.lang.String toString()
supr java.lang.Object

CLSS public java.lang.RuntimeException
cons protected init(java.lang.String,java.lang.Throwable,boolean,boolean)
cons public init()
cons public init(java.lang.String)
cons public init(java.lang.String,java.lang.Throwable)
cons public init(java.lang.Throwable)
supr java.lang.Exception

CLSS public java.lang.Throwable
cons protected init(java.lang.String,java.lang.Throwable,boolean,boolean)
cons public init()
cons public init(java.lang.String)
cons public init(java.lang.String,java.lang.Throwable)
cons public init(java.lang.Throwable)
intf java.io.Serializable
meth public final java.lang.Throwable[] getSuppressed()
meth public final void addSuppressed(java.lang.Throwable)
meth public java.lang.StackTraceElement[] getStackTrace()
meth public java.lang.String getLocalizedMessage()
meth public java.lang.String getMessage()
meth public java.lang.String toString()
meth public java.lang.Throwable fillInStackTrace()
meth public java.lang.Throwable getCause()
meth public java.lang.Throwable initCause(java.lang.Throwable)
meth public void printStackTrace()
meth public void printStackTrace(java.io.PrintStream)
meth public void printStackTrace(java.io.PrintWriter)
meth public void setStackTrace(java.lang.StackTraceElement[])
supr java.lang.Object

CLSS public java.lang.UnsupportedOperationException
cons public init()
cons public init(java.lang.String)
cons public init(java.lang.String,java.lang.Throwable)
cons public init(java.lang.Throwable)
supr java.lang.RuntimeException

CLSS public abstract interface java.lang.annotation.Annotation
meth public abstract boolean equals(java.lang.Object)
meth public abstract int hashCode()
meth public abstract java.lang.Class<? extends java.lang.annotation.Annotation> annotationType()
meth public abstract java.lang.String toString()

CLSS public abstract interface !annotation java.lang.annotation.Documented
 anno 0 java.lang.annotation.Documented()
 anno 0 java.lang.annotation.Retention(java.lang.annotation.RetentionPolicy value=RUNTIME)
 anno 0 java.lang.annotation.Target(java.lang.annotation.ElementType[] value=[ANNOTATION_TYPE])
intf java.lang.annotation.Annotation

CLSS public abstract interface !annotation java.lang.annotation.Retention
 anno 0 java.lang.annotation.Documented()
 anno 0 java.lang.annotation.Retention(java.lang.annotation.RetentionPolicy value=RUNTIME)
 anno 0 java.lang.annotation.Target(java.lang.annotation.ElementType[] value=[ANNOTATION_TYPE])
intf java.lang.annotation.Annotation
meth public abstract java.lang.annotation.RetentionPolicy value()

CLSS public abstract interface !annotation java.lang.annotation.Target
 anno 0 java.lang.annotation.Documented()
 anno 0 java.lang.annotation.Retention(java.lang.annotation.RetentionPolicy value=RUNTIME)
 anno 0 java.lang.annotation.Target(java.lang.annotation.ElementType[] value=[ANNOTATION_TYPE])
intf java.lang.annotation.Annotation
meth public abstract java.lang.annotation.ElementType[] value()

CLSS public abstract interface java.lang.constant.Constable
meth public abstract java.util.Optional<? extends java.lang.constant.ConstantDesc> describeConstable()

CLSS public java.net.ProtocolException
cons public init()
cons public init(java.lang.String)
supr java.io.IOException

CLSS public abstract java.net.SocketAddress
cons public init()
intf java.io.Serializable
supr java.lang.Object

CLSS public abstract interface java.net.SocketOption<%0 extends java.lang.Object>
meth public abstract java.lang.Class<{java.net.SocketOption%0}> type()
meth public abstract java.lang.String name()

CLSS public java.nio.channels.ClosedChannelException
cons public init()
supr java.io.IOException
