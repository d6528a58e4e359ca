// What single system calls and short exchanges cost where this program runs. Prints a line for each measure: "name value unit" (ns, us, ms, MB/s).
// Build: gcc -O2 -static -pthread mb.c -o mb. Run: mb [GROUP...]; MB_MS is the time for each measure in milliseconds (150), MB_DIR a folder for files (/var/tmp).
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double budget_ns = 150e6;
static const char *self;

static double now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

static void report(const char *name, double value, const char *unit) {
  printf("%s %.1f %s\n", name, value, unit);
  fflush(stdout);
}

static void must(int holds, const char *what) {
  if (!holds) {
    fprintf(stderr, "mb: %s: %s\n", what, strerror(errno));
    exit(1);
  }
}

// The nanoseconds of one turn: whole batches until the budget is spent, after one batch that warms up.
#define NS_OF_ONE(batch, ...)                                              \
  ({                                                                       \
    for (long k_ = 0; k_ < (batch); k_++) { __VA_ARGS__; }                 \
    long turns_ = 0;                                                       \
    double start_ = now_ns(), spent_;                                      \
    do {                                                                   \
      for (long k_ = 0; k_ < (batch); k_++) { __VA_ARGS__; }               \
      turns_ += (batch);                                                   \
      spent_ = now_ns() - start_;                                          \
    } while (spent_ < budget_ns);                                          \
    spent_ / turns_;                                                       \
  })

// The number stands in the instruction before the call, as compilers inline it.
__attribute__((noinline)) static long inline_getpid(void) {
  long result;
  asm volatile("mov $39, %%eax; syscall" : "=a"(result) : : "rcx", "r11", "memory");
  return result;
}

static void calls(void) {
  struct timespec t;
  report("getpid", NS_OF_ONE(500, inline_getpid()), "ns");
  report("getppid-function", NS_OF_ONE(500, syscall(SYS_getppid)), "ns");
  report("clock_gettime", NS_OF_ONE(500, clock_gettime(CLOCK_MONOTONIC, &t)), "ns");
}

static void devices(void) {
  char byte = 0;
  int zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY);
  must(zero >= 0 && null >= 0, "devices");
  report("read-zero", NS_OF_ONE(200, must(read(zero, &byte, 1) == 1, "read")), "ns");
  report("write-null", NS_OF_ONE(200, must(write(null, &byte, 1) == 1, "write")), "ns");
  close(zero);
  close(null);
}

static void events(void) {
  int epoll = epoll_create1(0), event = eventfd(0, 0);
  struct epoll_event ready = {.events = EPOLLIN};
  must(epoll_ctl(epoll, EPOLL_CTL_ADD, event, &ready) == 0, "epoll_ctl");
  unsigned long one = 1, count;
  report("eventfd-epoll", NS_OF_ONE(100, must(write(event, &one, 8) == 8 && epoll_wait(epoll, &ready, 1, -1) == 1 && read(event, &count, 8) == 8, "eventfd")), "ns");
  close(epoll);
  close(event);
}

static volatile sig_atomic_t signals;
static void on_signal(int number) { signals += number != 0; }

static void signal_self(void) {
  signal(SIGUSR1, on_signal);
  report("signal-self", NS_OF_ONE(50, raise(SIGUSR1)), "ns");
}

static int futex_turn; // whose turn it is: 0 the first thread's, 1 the second's, 2 the end

static void futex_await(int turn) {
  int seen;
  while ((seen = __atomic_load_n(&futex_turn, __ATOMIC_ACQUIRE)) != turn && seen != 2) {
    syscall(SYS_futex, &futex_turn, FUTEX_WAIT_PRIVATE, seen, NULL);
  }
}

static void futex_pass(int turn) {
  __atomic_store_n(&futex_turn, turn, __ATOMIC_RELEASE);
  syscall(SYS_futex, &futex_turn, FUTEX_WAKE_PRIVATE, 1);
}

static void *futex_partner(void *unused) {
  for (;;) {
    futex_await(1);
    if (__atomic_load_n(&futex_turn, __ATOMIC_ACQUIRE) == 2) {
      return unused;
    }
    futex_pass(0);
  }
}

static void futexes(void) {
  pthread_t partner;
  must(pthread_create(&partner, NULL, futex_partner, NULL) == 0, "pthread_create");
  report("futex-ping-pong", NS_OF_ONE(50, { futex_pass(1); futex_await(0); }), "ns");
  futex_pass(2);
  pthread_join(partner, NULL);
}

// A child that sends each byte back until the end of its input.
static pid_t start_echo(int in, int out, int other, int another) {
  pid_t child = fork();
  must(child >= 0, "fork");
  if (child == 0) {
    char byte;
    close(other);
    close(another);
    while (read(in, &byte, 1) == 1 && write(out, &byte, 1) == 1) {
    }
    _exit(0);
  }
  return child;
}

static void ping_pong(const char *name, int out, int in) {
  char byte = 0;
  report(name, NS_OF_ONE(50, must(write(out, &byte, 1) == 1 && read(in, &byte, 1) == 1, name)), "ns");
}

static void pump(const char *name, int out) {
  static char block[65536];
  double ns = NS_OF_ONE(20, for (size_t at = 0; at < sizeof block;) {
    ssize_t n = write(out, block + at, sizeof block - at);
    must(n > 0, name);
    at += n;
  });
  report(name, sizeof block / ns * 1e3, "MB/s");
}

static pid_t start_drain(int in, int other) {
  pid_t child = fork();
  must(child >= 0, "fork");
  if (child == 0) {
    static char block[65536];
    close(other);
    while (read(in, block, sizeof block) > 0) {
    }
    _exit(0);
  }
  return child;
}

static void pipes(void) {
  int there[2], back[2];
  must(pipe(there) == 0 && pipe(back) == 0, "pipe");
  pid_t child = start_echo(there[0], back[1], there[1], back[0]);
  close(there[0]);
  close(back[1]);
  ping_pong("pipe-ping-pong", there[1], back[0]);
  close(there[1]);
  close(back[0]);
  waitpid(child, NULL, 0);
  must(pipe(there) == 0, "pipe");
  child = start_drain(there[0], there[1]);
  close(there[0]);
  pump("pipe-bandwidth", there[1]);
  close(there[1]);
  waitpid(child, NULL, 0);
}

static void unix_sockets(void) {
  int ends[2];
  must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "socketpair");
  pid_t child = start_echo(ends[1], ends[1], ends[0], -1);
  close(ends[1]);
  ping_pong("unix-ping-pong", ends[0], ends[0]);
  close(ends[0]);
  waitpid(child, NULL, 0);
}

static void *nothing(void *argument) { return argument; }

static void processes(void) {
  report("thread-create-join", NS_OF_ONE(5, {
    pthread_t thread;
    must(pthread_create(&thread, NULL, nothing, NULL) == 0, "pthread_create");
    pthread_join(thread, NULL);
  }) / 1e3, "us");
  report("fork-wait", NS_OF_ONE(3, {
    pid_t child = fork();
    if (child == 0) {
      _exit(0);
    }
    must(waitpid(child, NULL, 0) == child, "fork");
  }) / 1e3, "us");
  report("vfork-exec-wait", NS_OF_ONE(3, {
    pid_t child = vfork();
    if (child == 0) {
      execl(self, self, "--nothing", (char *)NULL);
      _exit(1);
    }
    int status;
    must(waitpid(child, &status, 0) == child && status == 0, "vfork and exec");
  }) / 1e3, "us");
}

static char *map(size_t size) {
  char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  must(at != MAP_FAILED, "mmap");
  return at;
}

static void memory(void) {
  size_t size = 32 << 20;
  char *fresh = map(size);
  double start = now_ns();
  for (size_t at = 0; at < size; at += 4096) {
    fresh[at] = 1;
  }
  report("touch-page", (now_ns() - start) / (size / 4096), "ns");
  munmap(fresh, size);
  report("mmap-touch-munmap", NS_OF_ONE(20, {
    char *at = map(65536);
    at[0] = 1;
    munmap(at, 65536);
  }) / 1e3, "us");
}

static void files(void) {
  const char *base = getenv("MB_DIR") ?: "/var/tmp";
  char folder[256], name[300], bytes[8] = "hello";
  struct stat status;
  snprintf(folder, sizeof folder, "%s/mbXXXXXX", base);
  must(mkdtemp(folder) != NULL, folder);
  long made = 0;
  report("create-write-close", NS_OF_ONE(20, {
    snprintf(name, sizeof name, "%s/f%ld", folder, made++);
    int fd = open(name, O_CREAT | O_WRONLY, 0644);
    must(fd >= 0 && write(fd, bytes, 5) == 5, name);
    close(fd);
  }) / 1e3, "us");
  snprintf(name, sizeof name, "%s/f0", folder);
  report("stat", NS_OF_ONE(50, must(stat(name, &status) == 0, "stat")), "ns");
  report("open-close", NS_OF_ONE(50, close(open(name, O_RDONLY))), "ns");
  int fd = open(name, O_RDONLY);
  report("pread", NS_OF_ONE(100, must(pread(fd, bytes, 5, 0) == 5, "pread")), "ns");
  close(fd);
  for (long i = 0; i < made; i++) {
    snprintf(name, sizeof name, "%s/f%ld", folder, i);
    unlink(name);
  }
  static char block[1 << 20];
  snprintf(name, sizeof name, "%s/large", folder);
  fd = open(name, O_CREAT | O_RDWR, 0644);
  for (int i = 0; i < 64; i++) {
    must(write(fd, block, sizeof block) == sizeof block, "write");
  }
  double ns = NS_OF_ONE(1, { // the file through and through
    lseek(fd, 0, SEEK_SET);
    while (read(fd, block, sizeof block) > 0) {
    }
  });
  report("sequential-read", 64.0 * sizeof block / ns * 1e3, "MB/s");
  close(fd);
  unlink(name);
  rmdir(folder);
}

static int no_delay(int fd) {
  int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return fd;
}

static void tcp(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  must(bind(listener, (void *)&address, length) == 0 && listen(listener, 16) == 0 && getsockname(listener, (void *)&address, &length) == 0, "listen");
  for (int measure = 0; measure < 2; measure++) {
    int client = no_delay(socket(AF_INET, SOCK_STREAM, 0));
    must(connect(client, (void *)&address, length) == 0, "connect");
    int server = no_delay(accept(listener, NULL, NULL));
    must(server >= 0, "accept");
    pid_t child = measure == 0 ? start_echo(server, server, client, listener) : start_drain(server, client);
    close(server);
    if (measure == 0) {
      ping_pong("tcp-ping-pong", client, client);
    } else {
      pump("tcp-bandwidth", client);
    }
    close(client);
    waitpid(child, NULL, 0);
  }
  report("tcp-connect-close", NS_OF_ONE(10, {
    int client = socket(AF_INET, SOCK_STREAM, 0);
    must(connect(client, (void *)&address, length) == 0, "connect");
    int server = accept(listener, NULL, NULL);
    must(server >= 0, "accept");
    close(client);
    close(server);
  }) / 1e3, "us");
  close(listener);
}

static void udp(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  char bytes[64] = {0};
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  must(bind(fd, (void *)&address, length) == 0 && getsockname(fd, (void *)&address, &length) == 0, "bind");
  report("udp-to-itself", NS_OF_ONE(50, must(sendto(fd, bytes, 64, 0, (void *)&address, length) == 64 && recv(fd, bytes, 64, 0) == 64, "udp")), "ns");
  close(fd);
}

// Code that makes no calls: what it costs more than natively is disturbance.
static void processor(void) {
  unsigned x = 1;
  report("cpu-loop", NS_OF_ONE(1, for (int i = 0; i < 1000000; i++) { x = x * 1664525u + 1013904223u; asm volatile("" : "+r"(x)); }) / 1e3, "us");
}

static const struct {
  const char *name;
  void (*run)(void);
} groups[] = {
    {"calls", calls}, {"devices", devices}, {"events", events}, {"signal", signal_self}, {"futex", futexes}, {"pipe", pipes}, {"unix", unix_sockets},
    {"processes", processes}, {"memory", memory}, {"files", files}, {"tcp", tcp}, {"udp", udp}, {"processor", processor},
};

int main(int count, char **arguments) {
  self = "/proc/self/exe";
  if (count > 1 && strcmp(arguments[1], "--nothing") == 0) {
    return 0;
  }
  if (count > 1 && strcmp(arguments[1], "--sleep") == 0) {
    pause();
    return 0;
  }
  if (getenv("MB_MS")) {
    budget_ns = atof(getenv("MB_MS")) * 1e6;
  }
  for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
    int wanted = count < 2;
    for (int k = 1; k < count; k++) {
      wanted |= strcmp(arguments[k], groups[i].name) == 0;
    }
    if (wanted) {
      groups[i].run();
    }
  }
  return 0;
}
