/*
 * A select.select for CPython that waits in Trivet's Select, in a JVM of the same process. build/cpython-select compiles and uses it.
 *
 * The JVM runs on a thread of its own, which blocks all signals, and so do the threads that the JVM starts: the kernel delivers every
 * signal to a thread of Python. Python's threads never attach to the JVM. A call puts a Wait into a queue and blocks on an eventfd without
 * the GIL. A worker thread of Waits.java takes the Wait, calls Select, and completes it. If a signal handler runs meanwhile, the
 * interrupter thread of Waits.java interrupts the worker. The call then runs Python's handlers and waits again for the rest of the
 * timeout, as PEP 475 asks.
 *
 * The arguments mean what the documentation of Python's select module says. Unlike select.select, the numbers of descriptors have no limit.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <jni.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define NANOS_PER_SECOND 1000000000LL
#define LISTS 3
#define JVM_OPTIONS_MAX 32
/* Tests close, duplicate and count low descriptors, so ours and the JVM's get higher numbers. */
#define LOWEST_FD 100
/* Unused eventfds that are kept. More calls than this may wait at the same time. */
#define EVENT_FDS_KEPT_MAX 64

enum state { QUEUED, TAKEN, READY, INTERRUPTED, FAILED };

/* One wait of one call. Lives on the caller's stack until it is completed; the mutex guards all that changes. */
struct wait {
    struct wait *next;
    jlong id;
    jint counts[LISTS];
    jint *fds; /* of the three lists, one after the other */
    jint fd_count;
    jlong timeout_nanos; /* -1: no limit */
    int event_fd;
    enum state state;
    bool interrupted_early; /* before a worker took it */
    jint worker;
    signed char *ready; /* for each of fds */
    char error[32]; /* the name of an errno, or empty: not an error of the operating system */
    char message[512];
};

/* An interrupt of a worker, if it still runs that wait. */
struct interrupt {
    struct interrupt *next;
    jlong id;
    jint worker;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wait_queued = PTHREAD_COND_INITIALIZER;
static pthread_cond_t interrupt_queued = PTHREAD_COND_INITIALIZER;
static pthread_cond_t start_finished = PTHREAD_COND_INITIALIZER;
static struct wait *first_wait, *last_wait;
static struct interrupt *first_interrupt;
static jlong waits; /* ids given out */
static int event_fds[EVENT_FDS_KEPT_MAX];
static int event_fd_count;

static bool started;
static bool ready_to_wait;
static char start_failure[512];

static bool forked; /* this process is a child without the JVM's threads */
static PyObject *plain_select; /* select.select, for such a child */
static unsigned long long calls;

/* ---- Natives of Waits.java ---- */

/* Blocks until there is a wait, and returns it: address, id, timeout, whether it is interrupted, the three counts, and the descriptors. */
static jlongArray take(JNIEnv *env, jclass class, jint worker) {
    (void)class;
    pthread_mutex_lock(&mutex);
    while (first_wait == NULL) {
        pthread_cond_wait(&wait_queued, &mutex);
    }
    struct wait *wait = first_wait;
    first_wait = wait->next;
    if (first_wait == NULL) {
        last_wait = NULL;
    }
    wait->state = TAKEN;
    wait->worker = worker;
    jlong interrupted_early = wait->interrupted_early;
    pthread_mutex_unlock(&mutex);

    jlong head[] = {(jlong)(uintptr_t)wait, wait->id, wait->timeout_nanos, interrupted_early, wait->counts[0], wait->counts[1], wait->counts[2]};
    jsize head_length = sizeof head / sizeof head[0];
    jlongArray array = (*env)->NewLongArray(env, head_length + wait->fd_count);
    if (array == NULL) {
        return NULL; /* OutOfMemoryError is pending, and ends the process */
    }
    (*env)->SetLongArrayRegion(env, array, 0, head_length, head);
    for (jint i = 0; i < wait->fd_count; i++) {
        jlong fd = wait->fds[i];
        (*env)->SetLongArrayRegion(env, array, head_length + i, 1, &fd);
    }
    return array;
}

/* Ends a wait. Afterwards its memory is the caller's again. */
static void complete(struct wait *wait, enum state state) {
    int event_fd = wait->event_fd;
    pthread_mutex_lock(&mutex);
    wait->state = state;
    pthread_mutex_unlock(&mutex);
    uint64_t one = 1;
    if (write(event_fd, &one, sizeof one) != sizeof one) {
        abort(); /* an eventfd that nobody else knows: another part of the process has closed it */
    }
}

static void ready(JNIEnv *env, jclass class, jlong address, jbyteArray result) {
    (void)class;
    struct wait *wait = (struct wait *)(uintptr_t)address;
    (*env)->GetByteArrayRegion(env, result, 0, wait->fd_count, wait->ready);
    complete(wait, READY);
}

static void interrupted(JNIEnv *env, jclass class, jlong address) {
    (void)env;
    (void)class;
    complete((struct wait *)(uintptr_t)address, INTERRUPTED);
}

static void copy_string(JNIEnv *env, jstring from, char *to, size_t size) {
    const char *text = (*env)->GetStringUTFChars(env, from, NULL);
    snprintf(to, size, "%s", text == NULL ? "out of memory" : text);
    if (text != NULL) {
        (*env)->ReleaseStringUTFChars(env, from, text);
    }
}

static void failed(JNIEnv *env, jclass class, jlong address, jstring error, jstring message) {
    (void)class;
    struct wait *wait = (struct wait *)(uintptr_t)address;
    copy_string(env, error, wait->error, sizeof wait->error);
    copy_string(env, message, wait->message, sizeof wait->message);
    complete(wait, FAILED);
}

/* Blocks until a worker must be interrupted, and returns its number and the id of the wait. */
static jlongArray next_interrupt(JNIEnv *env, jclass class) {
    (void)class;
    pthread_mutex_lock(&mutex);
    while (first_interrupt == NULL) {
        pthread_cond_wait(&interrupt_queued, &mutex);
    }
    struct interrupt *interrupt = first_interrupt;
    first_interrupt = interrupt->next;
    pthread_mutex_unlock(&mutex);
    jlong values[2] = {interrupt->worker, interrupt->id};
    free(interrupt);
    jlongArray array = (*env)->NewLongArray(env, 2);
    if (array != NULL) {
        (*env)->SetLongArrayRegion(env, array, 0, 2, values);
    }
    return array;
}

static void finish_start(const char *failure) {
    pthread_mutex_lock(&mutex);
    snprintf(start_failure, sizeof start_failure, "%s", failure);
    ready_to_wait = true;
    pthread_cond_signal(&start_finished);
    pthread_mutex_unlock(&mutex);
}

static void started_native(JNIEnv *env, jclass class, jstring failure) {
    (void)class;
    char text[sizeof start_failure];
    copy_string(env, failure, text, sizeof text);
    finish_start(text);
}

static const JNINativeMethod natives[] = {
    {"take", "(I)[J", (void *)take},
    {"ready", "(J[B)V", (void *)ready},
    {"interrupted", "(J)V", (void *)interrupted},
    {"failed", "(JLjava/lang/String;Ljava/lang/String;)V", (void *)failed},
    {"nextInterrupt", "()[J", (void *)next_interrupt},
    {"started", "(Ljava/lang/String;)V", (void *)started_native},
};

/* ---- The JVM ---- */

static char *libjvm;
static char *form;
static char *engine;
static JavaVMOption jvm_options[JVM_OPTIONS_MAX];
static jint jvm_option_count;

/* Creates the JVM and runs Waits.run, which does not return. */
static void *run_jvm(void *unused) {
    (void)unused;
    void *library = dlopen(libjvm, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        finish_start(dlerror());
        return NULL;
    }
    jint (*create)(JavaVM **, void **, void *) = (jint(*)(JavaVM **, void **, void *))dlsym(library, "JNI_CreateJavaVM");
    if (create == NULL) {
        finish_start(dlerror());
        return NULL;
    }
    JavaVM *vm;
    JNIEnv *env;
    JavaVMInitArgs arguments = {.version = JNI_VERSION_21, .nOptions = jvm_option_count, .options = jvm_options};
    jint result = create(&vm, (void **)&env, &arguments);
    if (result != JNI_OK) {
        finish_start("JNI_CreateJavaVM failed");
        return NULL;
    }
    jclass class = (*env)->FindClass(env, "Waits");
    jmethodID run = class == NULL ? NULL : (*env)->GetStaticMethodID(env, class, "run", "(Ljava/lang/String;Ljava/lang/String;)V");
    if (run == NULL || (*env)->RegisterNatives(env, class, natives, sizeof natives / sizeof natives[0]) != JNI_OK) {
        (*env)->ExceptionDescribe(env);
        finish_start("the class Waits is not there, or has other methods");
        return NULL;
    }
    (*env)->CallStaticVoidMethod(env, class, run, (*env)->NewStringUTF(env, form), (*env)->NewStringUTF(env, engine));
    (*env)->ExceptionDescribe(env);
    abort();
}

static void in_child(void) {
    forked = true;
}

/* The JVM handles faults of its own code by these signals, which a test never raises in this process. */
static bool belongs_to_jvm(int number) {
    return number == SIGSEGV || number == SIGBUS || number == SIGILL || number == SIGFPE || number == SIGTRAP;
}

/* Runs the JVM's thread until it is ready. Only the main thread calls it, before any other is started. */
static void start_jvm(void) {
    struct sigaction actions[NSIG];
    for (int number = 1; number < NSIG; number++) {
        if (sigaction(number, NULL, &actions[number]) != 0) {
            actions[number].sa_handler = SIG_DFL;
        }
    }
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    if (pthread_create(&thread, NULL, run_jvm, NULL) != 0) {
        finish_start("the JVM's thread cannot be created");
    } else {
        pthread_detach(thread);
    }
    pthread_mutex_lock(&mutex);
    while (!ready_to_wait) {
        pthread_cond_wait(&start_finished, &mutex);
    }
    pthread_mutex_unlock(&mutex);
    for (int number = 1; number < NSIG; number++) {
        if (!belongs_to_jvm(number)) {
            sigaction(number, &actions[number], NULL); /* fails for SIGKILL and for those of the C library */
        }
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* Occupies the free descriptors below LOWEST_FD, or frees them. */
static void occupy(bool occupied[LOWEST_FD], bool occupy) {
    for (int fd = 0; fd < LOWEST_FD; fd++) {
        if (occupy) {
            occupied[fd] = fcntl(fd, F_GETFD) < 0 && dup2(event_fds[0], fd) == fd;
        } else if (occupied[fd]) {
            close(fd);
        }
    }
}

/* Takes an eventfd from those that are kept, or opens one. Returns -1 if there is none, with errno. */
static int acquire_event_fd(void) {
    pthread_mutex_lock(&mutex);
    int fd = event_fd_count > 0 ? event_fds[--event_fd_count] : -1;
    pthread_mutex_unlock(&mutex);
    if (fd >= 0) {
        return fd;
    }
    int low = eventfd(0, EFD_CLOEXEC);
    if (low < 0) {
        return -1;
    }
    fd = fcntl(low, F_DUPFD_CLOEXEC, LOWEST_FD);
    close(low);
    return fd;
}

static void release_event_fd(int fd) {
    pthread_mutex_lock(&mutex);
    bool keep = event_fd_count < EVENT_FDS_KEPT_MAX;
    if (keep) {
        event_fds[event_fd_count++] = fd;
    }
    pthread_mutex_unlock(&mutex);
    if (!keep) {
        close(fd);
    }
}

PyDoc_STRVAR(start_doc, "start(libjvm, options, form, engine): creates the JVM, and returns when it can wait.");

static PyObject *start(PyObject *module, PyObject *arguments) {
    (void)module;
    const char *libjvm_text, *form_text, *engine_text;
    PyObject *options;
    if (!PyArg_ParseTuple(arguments, "sO!ss", &libjvm_text, &PyList_Type, &options, &form_text, &engine_text)) {
        return NULL;
    }
    if (started || PyList_GET_SIZE(options) > JVM_OPTIONS_MAX) {
        PyErr_SetString(PyExc_RuntimeError, started ? "started already" : "too many options");
        return NULL;
    }
    libjvm = strdup(libjvm_text);
    form = strdup(form_text);
    engine = strdup(engine_text);
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(options); i++) {
        const char *option = PyUnicode_AsUTF8(PyList_GET_ITEM(options, i));
        if (option == NULL) {
            return NULL;
        }
        jvm_options[jvm_option_count++].optionString = strdup(option);
    }
    PyObject *select_module = PyImport_ImportModule("select");
    if (select_module == NULL) {
        return NULL;
    }
    plain_select = PyObject_GetAttrString(select_module, "select");
    Py_DECREF(select_module);
    if (plain_select == NULL) {
        return NULL;
    }
    started = true;
    int event_fd = acquire_event_fd();
    if (event_fd < 0) {
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    release_event_fd(event_fd);
    bool occupied[LOWEST_FD];
    Py_BEGIN_ALLOW_THREADS
    occupy(occupied, true);
    start_jvm();
    occupy(occupied, false);
    pthread_atfork(NULL, NULL, in_child);
    Py_END_ALLOW_THREADS
    if (start_failure[0] != '\0') {
        PyErr_SetString(PyExc_RuntimeError, start_failure);
        return NULL;
    }
    Py_RETURN_NONE;
}

/* ---- select ---- */

/* The members of a list: their descriptors and references to them, as long as the call lasts. */
struct members {
    Py_ssize_t count, room;
    int *fds;
    PyObject **objects;
};

static void free_members(struct members lists[LISTS]) {
    for (int list = 0; list < LISTS; list++) {
        for (Py_ssize_t i = 0; i < lists[list].count; i++) {
            Py_DECREF(lists[list].objects[i]);
        }
        PyMem_Free(lists[list].fds);
        PyMem_Free(lists[list].objects);
    }
}

static bool grow(struct members *members) {
    Py_ssize_t room = members->room == 0 ? 16 : members->room * 2;
    int *fds = PyMem_Realloc(members->fds, room * sizeof *fds);
    if (fds != NULL) {
        members->fds = fds;
    }
    PyObject **objects = fds == NULL ? NULL : PyMem_Realloc(members->objects, room * sizeof *objects);
    if (objects == NULL) {
        PyErr_NoMemory();
        return false;
    }
    members->objects = objects;
    members->room = room;
    return true;
}

/* Reads a list. A fileno method may change the list meanwhile: as in CPython, the members are those that are there when their turn comes. */
static bool read_members(PyObject *iterable, struct members *members) {
    PyObject *sequence = PySequence_Fast(iterable, "arguments 1-3 must be sequences");
    if (sequence == NULL) {
        return false;
    }
    bool good = true;
    for (Py_ssize_t i = 0; good && i < PySequence_Fast_GET_SIZE(sequence); i++) {
        PyObject *object = Py_NewRef(PySequence_Fast_GET_ITEM(sequence, i));
        int fd = PyObject_AsFileDescriptor(object);
        good = fd >= 0 && (members->count < members->room || grow(members));
        if (good) {
            members->fds[members->count] = fd;
            members->objects[members->count++] = object;
        } else {
            Py_DECREF(object);
        }
    }
    Py_DECREF(sequence);
    return good;
}

/* Converts a timeout in seconds to nanoseconds, rounded away from zero; None becomes -1. */
static bool read_timeout(PyObject *timeout, jlong *nanos) {
    *nanos = -1;
    if (timeout == Py_None) {
        return true;
    }
    if (PyFloat_Check(timeout)) {
        double seconds = PyFloat_AS_DOUBLE(timeout);
        if (isnan(seconds)) {
            PyErr_SetString(PyExc_ValueError, "Invalid value NaN (not a number)");
            return false;
        }
        double value = seconds * NANOS_PER_SECOND;
        value = value < 0 ? floor(value) : ceil(value);
        if (!(value >= -0x1p63 && value < 0x1p63)) {
            PyErr_SetString(PyExc_OverflowError, "timestamp too large to convert to C _PyTime_t");
            return false;
        }
        *nanos = (jlong)value;
    } else {
        long long seconds = PyLong_AsLongLong(timeout);
        if (seconds == -1 && PyErr_Occurred()) {
            if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
                PyErr_SetString(PyExc_OverflowError, "timestamp too large to convert to C _PyTime_t");
            } else if (PyErr_ExceptionMatches(PyExc_TypeError)) {
                PyErr_SetString(PyExc_TypeError, "timeout must be a float or None");
            }
            return false;
        }
        long long product;
        if (__builtin_mul_overflow(seconds, NANOS_PER_SECOND, &product)) {
            PyErr_SetString(PyExc_OverflowError, "timestamp too large to convert to C _PyTime_t");
            return false;
        }
        *nanos = product;
    }
    if (*nanos < 0) {
        PyErr_SetString(PyExc_ValueError, "timeout must be non-negative");
        return false;
    }
    return true;
}

static jlong monotonic_nanos(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NANOS_PER_SECOND + now.tv_nsec;
}

/* Asks for the end of a wait. Its worker asks the kernel once all the same, so that a storm of signals does not hide what is ready. */
static void interrupt(struct wait *wait) {
    pthread_mutex_lock(&mutex);
    if (wait->state == QUEUED) {
        wait->interrupted_early = true;
        pthread_mutex_unlock(&mutex);
        return;
    }
    struct interrupt *interrupt = malloc(sizeof *interrupt);
    if (interrupt == NULL) {
        abort();
    }
    *interrupt = (struct interrupt){.next = first_interrupt, .id = wait->id, .worker = wait->worker};
    first_interrupt = interrupt;
    pthread_cond_signal(&interrupt_queued);
    pthread_mutex_unlock(&mutex);
}

/* Lets a worker wait. Returns when the wait is completed. */
static void wait_in_jvm(struct wait *wait) {
    wait->next = NULL;
    wait->state = QUEUED;
    wait->interrupted_early = false;
    pthread_mutex_lock(&mutex);
    wait->id = ++waits;
    if (last_wait == NULL) {
        first_wait = wait;
    } else {
        last_wait->next = wait;
    }
    last_wait = wait;
    pthread_cond_signal(&wait_queued);
    pthread_mutex_unlock(&mutex);

    struct pollfd entry = {.fd = wait->event_fd, .events = POLLIN};
    bool interrupt_sent = wait->timeout_nanos == 0; /* it ends by itself */
    /* poll(2), because a handler ends it even if it was installed with SA_RESTART, like select(2). */
    while (poll(&entry, 1, -1) != 1) {
        if (errno == EINTR && !interrupt_sent) {
            interrupt_sent = true;
            interrupt(wait);
        } else if (errno != EINTR) {
            abort();
        }
    }
    uint64_t count;
    if (read(wait->event_fd, &count, sizeof count) != sizeof count) {
        abort();
    }
    pthread_mutex_lock(&mutex); /* what the worker wrote happened before */
    pthread_mutex_unlock(&mutex);
}

static void raise_failure(const struct wait *wait) {
    if (wait->error[0] == '\0') {
        PyErr_SetString(PyExc_RuntimeError, wait->message);
        return;
    }
    PyObject *errno_module = PyImport_ImportModule("errno");
    PyObject *number = errno_module == NULL ? NULL : PyObject_GetAttrString(errno_module, wait->error);
    PyObject *exception = number == NULL ? NULL : PyObject_CallFunction(PyExc_OSError, "Os", number, wait->message);
    if (exception != NULL) {
        PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
    }
    Py_XDECREF(exception);
    Py_XDECREF(number);
    Py_XDECREF(errno_module);
}

static PyObject *ready_members(const struct members *members, const signed char *ready) {
    PyObject *list = PyList_New(0);
    for (Py_ssize_t i = 0; list != NULL && i < members->count; i++) {
        if (ready[i] && PyList_Append(list, members->objects[i]) < 0) {
            Py_CLEAR(list);
        }
    }
    return list;
}

/* Waits until a member is ready, the timeout has expired, or a handler of a signal raises. */
static bool wait_for_members(struct wait *wait) {
    jlong timeout = wait->timeout_nanos;
    jlong start_nanos = timeout > 0 ? monotonic_nanos() : 0;
    while (true) {
        Py_BEGIN_ALLOW_THREADS
        wait_in_jvm(wait);
        Py_END_ALLOW_THREADS
        if (wait->state == READY) {
            return true;
        }
        if (wait->state == FAILED) {
            raise_failure(wait);
            return false;
        }
        if (PyErr_CheckSignals() != 0) {
            return false;
        }
        if (timeout >= 0) {
            jlong rest = timeout - (monotonic_nanos() - start_nanos);
            wait->timeout_nanos = rest > 0 ? rest : 0;
        }
    }
}

static PyObject *select_members(struct members lists[LISTS], jlong timeout_nanos) {
    Py_ssize_t total = lists[0].count + lists[1].count + lists[2].count;
    if (total > INT32_MAX / 2) {
        return PyErr_NoMemory();
    }
    struct wait wait = {.fd_count = (jint)total, .timeout_nanos = timeout_nanos};
    PyObject *result = NULL;
    wait.event_fd = acquire_event_fd();
    if (wait.event_fd < 0) {
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    wait.fds = PyMem_Calloc(total + 1, sizeof *wait.fds);
    wait.ready = PyMem_Calloc(total + 1, 1);
    if (wait.fds == NULL || wait.ready == NULL) {
        PyErr_NoMemory();
        goto end;
    }
    jint entry = 0;
    for (int list = 0; list < LISTS; list++) {
        wait.counts[list] = (jint)lists[list].count;
        for (Py_ssize_t i = 0; i < lists[list].count; i++) {
            wait.fds[entry++] = lists[list].fds[i];
        }
    }
    if (wait_for_members(&wait)) {
        PyObject *r = ready_members(&lists[0], wait.ready);
        PyObject *w = ready_members(&lists[1], wait.ready + lists[0].count);
        PyObject *x = ready_members(&lists[2], wait.ready + lists[0].count + lists[1].count);
        result = r == NULL || w == NULL || x == NULL ? NULL : PyTuple_Pack(LISTS, r, w, x);
        Py_XDECREF(r);
        Py_XDECREF(w);
        Py_XDECREF(x);
    }
end:
    PyMem_Free(wait.fds);
    PyMem_Free(wait.ready);
    release_event_fd(wait.event_fd);
    return result;
}

PyDoc_STRVAR(select_doc, "select(rlist, wlist, xlist[, timeout]) -> (rlist, wlist, xlist): select.select, by Trivet.");

static PyObject *select_in_trivet(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
    (void)module;
    if (forked) {
        return PyObject_Vectorcall(plain_select, arguments, count, NULL);
    }
    if (!started) {
        PyErr_SetString(PyExc_RuntimeError, "start was not called");
        return NULL;
    }
    if (count < 3 || count > 4) {
        PyErr_Format(PyExc_TypeError, "select expected %s, got %zd", count < 3 ? "at least 3 arguments" : "at most 4 arguments", count);
        return NULL;
    }
    calls++;
    jlong timeout_nanos;
    if (!read_timeout(count == 4 ? arguments[3] : Py_None, &timeout_nanos)) {
        return NULL;
    }
    struct members lists[LISTS] = {0};
    PyObject *result = NULL;
    if (read_members(arguments[0], &lists[0]) && read_members(arguments[1], &lists[1]) && read_members(arguments[2], &lists[2])) {
        result = select_members(lists, timeout_nanos);
    }
    free_members(lists);
    return result;
}

PyDoc_STRVAR(calls_doc, "calls() -> int: how often select was called in this process.");

static PyObject *call_count(PyObject *module, PyObject *unused) {
    (void)module;
    (void)unused;
    return PyLong_FromUnsignedLongLong(calls);
}

static PyMethodDef methods[] = {
    {"start", start, METH_VARARGS, start_doc},
    {"select", (PyCFunction)(void (*)(void))select_in_trivet, METH_FASTCALL, select_doc},
    {"calls", call_count, METH_NOARGS, calls_doc},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "trivet_select", "select.select by Trivet's Select.", -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_trivet_select(void) {
    return PyModule_Create(&module);
}
