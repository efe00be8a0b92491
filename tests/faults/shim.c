/* A disk that fails, for tests: loaded before libc (LD_PRELOAD), it sees what a process does to files below one directory.

   STATEFUN_FAULTS_ROOT     the directory; nothing outside of it is touched
   STATEFUN_FAULTS_JOURNAL  a file that gets every change, in order, as journal.py reads it
   STATEFUN_FAULTS_ORDER    a file that says what fails, as shim.py writes it; no file, no faults

   The types and constants are those of Linux with 64-bit longs. No headers, so that a bare C compiler can build it. */

typedef unsigned long size_t;
typedef long ssize_t;
typedef long off_t;
struct iovec { char *base; size_t length; };

extern void *dlsym(void *handle, const char *name);
extern char *getenv(const char *name);
extern int *__errno_location(void);
extern int pthread_mutex_lock(void *mutex);
extern int pthread_mutex_unlock(void *mutex);
extern ssize_t readlink(const char *path, char *target, size_t size);
extern off_t lseek(int fd, off_t offset, int whence);
extern int access(const char *path, int mode);
extern int close(int fd);
extern int kill(int process, int signal);
extern int getpid(void);
extern size_t strlen(const char *text);
extern int strncmp(const char *one, const char *other, size_t size);
extern char *strchr(const char *text, int character);
extern long strtol(const char *text, char **end, int base);

#define NEXT ((void *)-1)
#define PATH 4096
#define WRITING 3     /* O_WRONLY | O_RDWR */
#define CREATE 0100   /* O_CREAT */
#define TRUNCATE 01000 /* O_TRUNC */
#define APPEND 02000  /* O_APPEND */

static long mutex[16]; /* a pthread_mutex_t in its initial state is all zeros */
static const char *root, *order;
static int journal = -1, ready;
static long count;

static int (*real_open)(const char *, int, unsigned);
static ssize_t (*real_read)(int, void *, size_t);
static ssize_t (*real_pread)(int, void *, size_t, off_t);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_writev)(int, const struct iovec *, int);
static int (*real_fsync)(int), (*real_fdatasync)(int);
static int (*real_ftruncate)(int, off_t);
static int (*real_rename)(const char *, const char *), (*real_link)(const char *, const char *);
static int (*real_unlink)(const char *);
static int (*real_mkdir)(const char *, unsigned);

static void prepare(void) {
    const char *path;
    if (ready) return;
    real_open = dlsym(NEXT, "open64");
    real_read = dlsym(NEXT, "read");
    real_pread = dlsym(NEXT, "pread64");
    real_write = dlsym(NEXT, "write");
    real_pwrite = dlsym(NEXT, "pwrite64");
    real_writev = dlsym(NEXT, "writev");
    real_fsync = dlsym(NEXT, "fsync");
    real_fdatasync = dlsym(NEXT, "fdatasync");
    real_ftruncate = dlsym(NEXT, "ftruncate64");
    real_rename = dlsym(NEXT, "rename");
    real_link = dlsym(NEXT, "link");
    real_unlink = dlsym(NEXT, "unlink");
    real_mkdir = dlsym(NEXT, "mkdir");
    root = getenv("STATEFUN_FAULTS_ROOT");
    order = getenv("STATEFUN_FAULTS_ORDER");
    path = getenv("STATEFUN_FAULTS_JOURNAL");
    if (path) journal = real_open(path, 1 | CREATE | APPEND, 0600);
    ready = 1;
}

static void lock(void) {
    pthread_mutex_lock(mutex);
    prepare();
}

static void unlock(void) {
    int error = *__errno_location();
    pthread_mutex_unlock(mutex);
    *__errno_location() = error;
}

static int inside(const char *path) {
    size_t length;
    if (!root || !path) return 0;
    length = strlen(root);
    return !strncmp(path, root, length) && (path[length] == '/' || !path[length]);
}

/* The path of an open file, or 0 when it is none of ours. */
static int path_of(int fd, char *path) {
    char link[32] = "/proc/self/fd/", digits[12];
    int at = 14, digit = 0;
    ssize_t length;
    if (fd < 0) return 0;
    do digits[digit++] = '0' + fd % 10; while (fd /= 10);
    while (digit) link[at++] = digits[--digit];
    link[at] = 0;
    length = readlink(link, path, PATH - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return inside(path);
}

/* What this operation shall do: -1 go on, 0 end the process, else the error to give. `torn`: do half of it first. */
static int fate(char kind, int *torn) {
    char text[64], *at;
    int fd, error = *__errno_location();
    ssize_t length;
    long number, first, times;
    *torn = 0;
    if (!order || (fd = real_open(order, 0, 0)) < 0) {
        *__errno_location() = error;
        count = 0;
        return -1;
    }
    length = real_read(fd, text, sizeof text - 1);
    close(fd);
    text[length > 0 ? length : 0] = 0;
    at = strchr(text, ' ');
    if (!at) return -1;
    *at++ = 0;
    if (!strchr(text, kind)) return -1;
    *torn = strchr(text, 't') != 0;
    number = strtol(at, &at, 10);
    first = strtol(at, &at, 10);
    times = strtol(at, &at, 10);
    count++;
    return count > first && (times < 0 || count <= first + times) ? (int)number : -1;
}

static int fail(int error) {
    if (!error) {
        kill(getpid(), 9);
        for (;;) ;
    }
    *__errno_location() = error;
    return -1;
}

static void note(char kind, const char *path, long offset, const void *data, size_t size) {
    struct { char kind[8]; long offset, path, size; } head = {{0}, 0, 0, 0};
    int error = *__errno_location();
    if (journal < 0) return;
    head.kind[0] = kind;
    head.offset = offset;
    head.path = (long)strlen(path);
    head.size = (long)size;
    real_write(journal, &head, sizeof head);
    real_write(journal, path, strlen(path));
    if (size) real_write(journal, data, size);
    *__errno_location() = error;
}

ssize_t write(int fd, const void *data, size_t size) {
    char path[PATH];
    int torn, what;
    ssize_t done;
    prepare();
    if (!path_of(fd, path)) return real_write(fd, data, size);
    lock();
    what = fate('w', &torn);
    if (what >= 0) {
        done = torn ? real_write(fd, data, size / 2) : 0;
        if (done > 0) note('w', path, lseek(fd, 0, 1) - done, data, done);
        done = fail(what);
    } else {
        done = real_write(fd, data, size);
        if (done > 0) note('w', path, lseek(fd, 0, 1) - done, data, done);
    }
    unlock();
    return done;
}

static ssize_t write_at(int fd, const void *data, size_t size, off_t offset) {
    char path[PATH];
    int torn, what;
    ssize_t done;
    prepare();
    if (!path_of(fd, path)) return real_pwrite(fd, data, size, offset);
    lock();
    what = fate('w', &torn);
    if (what >= 0) {
        done = torn ? real_pwrite(fd, data, size / 2, offset) : 0;
        if (done > 0) note('w', path, offset, data, done);
        done = fail(what);
    } else {
        done = real_pwrite(fd, data, size, offset);
        if (done > 0) note('w', path, offset, data, done);
    }
    unlock();
    return done;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) { return write_at(fd, data, size, offset); }
ssize_t pwrite64(int fd, const void *data, size_t size, off_t offset) { return write_at(fd, data, size, offset); }

ssize_t writev(int fd, const struct iovec *parts, int number) {
    char path[PATH];
    ssize_t done, all = 0;
    int part;
    prepare();
    if (!path_of(fd, path)) return real_writev(fd, parts, number);
    for (part = 0; part < number; part++) {
        done = write(fd, parts[part].base, parts[part].length);
        if (done < 0) return all ? all : -1;
        all += done;
        if ((size_t)done < parts[part].length) break;
    }
    return all;
}

ssize_t read(int fd, void *data, size_t size) {
    char path[PATH];
    int torn, what = -1;
    prepare();
    if (order && path_of(fd, path)) {
        lock();
        what = fate('r', &torn);
        unlock();
    }
    return what >= 0 ? fail(what) : real_read(fd, data, size);
}

static ssize_t read_at(int fd, void *data, size_t size, off_t offset) {
    char path[PATH];
    int torn, what = -1;
    prepare();
    if (order && path_of(fd, path)) {
        lock();
        what = fate('r', &torn);
        unlock();
    }
    return what >= 0 ? fail(what) : real_pread(fd, data, size, offset);
}

ssize_t pread(int fd, void *data, size_t size, off_t offset) { return read_at(fd, data, size, offset); }
ssize_t pread64(int fd, void *data, size_t size, off_t offset) { return read_at(fd, data, size, offset); }

/* Nothing is synced for real: that takes long, and what is durable is worked out from the journal. */
static int sync_with(int (*real)(int), int fd) {
    char path[PATH];
    int torn, what, done = 0;
    if (!path_of(fd, path)) return real(fd);
    lock();
    what = fate('s', &torn);
    if (what >= 0) done = fail(what);
    else note('s', path, 0, 0, 0);
    unlock();
    return done;
}

int fsync(int fd) { prepare(); return sync_with(real_fsync, fd); }
int fdatasync(int fd) { prepare(); return sync_with(real_fdatasync, fd); }

static int cut(int fd, off_t size) {
    char path[PATH];
    int torn, what, done;
    prepare();
    if (!path_of(fd, path)) return real_ftruncate(fd, size);
    lock();
    what = fate('m', &torn);
    if (what >= 0) {
        done = fail(what);
    } else {
        done = real_ftruncate(fd, size);
        if (!done) note('t', path, size, 0, 0);
    }
    unlock();
    return done;
}

int ftruncate(int fd, off_t size) { return cut(fd, size); }
int ftruncate64(int fd, off_t size) { return cut(fd, size); }

static int open_with(const char *path, int flags, unsigned mode) {
    int torn, what, fd, is_new;
    prepare();
    if (!inside(path) || !(flags & (WRITING | CREATE))) return real_open(path, flags, mode);
    lock();
    what = fate('m', &torn);
    if (what >= 0) {
        fd = fail(what);
    } else {
        is_new = access(path, 0) != 0;
        fd = real_open(path, flags, mode);
        if (fd >= 0 && is_new) note('c', path, 0, 0, 0);
        if (fd >= 0 && !is_new && (flags & TRUNCATE)) note('t', path, 0, 0, 0);
    }
    unlock();
    return fd;
}

int open(const char *path, int flags, unsigned mode) { return open_with(path, flags, mode); }
int open64(const char *path, int flags, unsigned mode) { return open_with(path, flags, mode); }

static int two_paths(char kind, int (*real)(const char *, const char *), const char *from, const char *to) {
    int torn, what, done;
    if (!inside(from)) return real(from, to);
    lock();
    what = fate('m', &torn);
    if (what >= 0) {
        done = fail(what);
    } else {
        done = real(from, to);
        if (!done) note(kind, from, 0, to, strlen(to));
    }
    unlock();
    return done;
}

int rename(const char *from, const char *to) { prepare(); return two_paths('r', real_rename, from, to); }
int link(const char *from, const char *to) { prepare(); return two_paths('l', real_link, from, to); }

int unlink(const char *path) {
    int torn, what, done;
    prepare();
    if (!inside(path)) return real_unlink(path);
    lock();
    what = fate('m', &torn);
    if (what >= 0) {
        done = fail(what);
    } else {
        done = real_unlink(path);
        if (!done) note('u', path, 0, 0, 0);
    }
    unlock();
    return done;
}

int mkdir(const char *path, unsigned mode) {
    int torn, what, done;
    prepare();
    if (!inside(path)) return real_mkdir(path, mode);
    lock();
    what = fate('m', &torn);
    if (what >= 0) {
        done = fail(what);
    } else {
        done = real_mkdir(path, mode);
        if (!done) note('d', path, 0, 0, 0);
    }
    unlock();
    return done;
}
