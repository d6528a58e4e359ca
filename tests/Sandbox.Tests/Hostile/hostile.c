// hostile ATTACK: takes as much as it is given of one thing. It prints "survived" when the kernel said no, or it had enough, and nothing broke.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096

static void need(int holds, const char *what) {
  if (!holds) {
    printf("failed: %s (errno %d)\n", what, errno);
    exit(1);
  }
}

// Every process forks as long as it can; SIGKILL to the group ends them all.
static void forkbomb(void) {
  pid_t pid = fork();
  if (pid == 0) {
    setpgid(0, 0);
    for (int i = 0; i < 400; i++) {
      if (fork() < 0) {
        break;
      }
    }
    pause();
  }
  setpgid(pid, pid); // whoever comes first
  usleep(500000);
  need(kill(-pid, SIGKILL) == 0, "kill the group");
  need(waitpid(pid, NULL, 0) == pid, "wait");
}

static void files(void) {
  char name[64];
  int made = 0;
  for (; made < 1000000; made++) {
    snprintf(name, sizeof name, "/tmp/f%d", made);
    int fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0) {
      break;
    }
    close(fd);
  }
  printf("%d files\n", made);
}

static void *sleeper(void *unused) {
  (void)unused;
  pause();
  return NULL;
}

static void threads(void) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 65536);
  pthread_t thread;
  int made = 0;
  while (made < 1000 && pthread_create(&thread, &attributes, sleeper, NULL) == 0) {
    made++;
  }
  printf("%d threads\n", made);
}

static void descriptors(void) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  int made = 0;
  while (made < 200000 && eventfd(0, 0) >= 0) {
    made++;
  }
  printf("%d descriptors\n", made);
}

static void pipes(void) {
  static char bytes[1 << 20];
  long total = 0;
  for (int i = 0; i < 2000; i++) {
    int ends[2];
    if (pipe2(ends, O_NONBLOCK)) {
      break;
    }
    fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
    ssize_t put = write(ends[1], bytes, sizeof bytes);
    total += put > 0 ? put : 0;
  }
  printf("%ld MiB in pipes\n", total >> 20);
}

static void sockets(void) {
  static char bytes[1 << 16];
  long total = 0;
  for (int i = 0; i < 2000; i++) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends)) {
      break;
    }
    int size = 1 << 30;
    setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    for (int j = 0; j < 64; j++) {
      ssize_t put = write(ends[0], bytes, sizeof bytes);
      if (put <= 0) {
        break;
      }
      total += put;
    }
  }
  printf("%ld MiB in sockets\n", total >> 20);
  need(total < 256L << 20, "a limit on what unix sockets hold");

  // Whoever holds nothing gets a little all the same, and everything is given back.
  int own[2];
  char c;
  need(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, own), "a pair when memory is short");
  need(write(own[0], "x", 1) == 1 && read(own[1], &c, 1) == 1, "a byte when memory is short");
  need(!close_range(own[1] + 1, ~0U, 0) && !close_range(3, own[0] - 1, 0), "close_range");
  long after = 0;
  for (ssize_t put; (put = write(own[0], bytes, sizeof bytes)) > 0;) {
    after += put;
  }
  need(after >= 65536, "room when all is closed");
}

static int loopback(int type, struct sockaddr_in *name) {
  int fd = socket(AF_INET, type | SOCK_NONBLOCK, 0);
  socklen_t length = sizeof *name;
  *name = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  need(fd >= 0 && !bind(fd, (struct sockaddr *)name, sizeof *name) && !getsockname(fd, (struct sockaddr *)name, &length), "a socket of loopback");
  return fd;
}

// Buffers of TCP and UDP as large as they go, and nobody reads.
static void buffers(void) {
  static char bytes[1 << 16];
  long total = 0;
  int size = 1 << 30;
  struct sockaddr_in name;
  int listener = loopback(SOCK_STREAM, &name);
  need(!listen(listener, 4096), "listen");
  int first = -1;
  for (int i = 0; i < 1000; i++) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0) {
      break;
    }
    first = first < 0 ? fd : first;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    if (connect(fd, (struct sockaddr *)&name, sizeof name) && errno != EINPROGRESS) {
      close(fd);
      break;
    }
    for (int j = 0; j < 64; j++) {
      ssize_t put = send(fd, bytes, sizeof bytes, MSG_NOSIGNAL);
      if (put <= 0) {
        break;
      }
      total += put;
    }
  }
  printf("%ld MiB in TCP\n", total >> 20);
  need(total < 256L << 20, "a limit on what TCP holds");
  for (int i = 0; i < 1000; i++) {
    int fd = loopback(SOCK_DGRAM, &name);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    for (int j = 0; j < 64; j++) {
      sendto(fd, bytes, 32768, 0, (struct sockaddr *)&name, sizeof name);
    }
  }
  need(!close_range(first, ~0U, 0) && !close(listener), "close");
  listener = loopback(SOCK_STREAM, &name);
  need(!listen(listener, 1), "listen again");
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  need(!connect(fd, (struct sockaddr *)&name, sizeof name), "connect again");
  need(send(fd, bytes, sizeof bytes, 0) == sizeof bytes, "send again");
}

// Sockets in flight inside one another, then forgotten.
static void cycles(void) {
  for (int i = 0; i < 3000; i++) {
    int ends[2];
    need(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) == 0, "socketpair");
    char control[CMSG_SPACE(sizeof ends)] = {0};
    char byte = 0;
    struct iovec vector = {&byte, 1};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof ends);
    memcpy(CMSG_DATA(header), ends, sizeof ends);
    ssize_t sent = sendmsg(ends[0], &message, MSG_DONTWAIT);
    need(sent == 1 || errno == ETOOMANYREFS, "sendmsg");
    sent = sendmsg(ends[1], &message, MSG_DONTWAIT);
    need(sent == 1 || errno == ETOOMANYREFS, "sendmsg");
    close(ends[0]);
    close(ends[1]);
  }
}

static void timers(void) {
  int made = 0;
  signal(SIGALRM, SIG_IGN);
  for (; made < 10000; made++) {
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    if (timer_create(CLOCK_MONOTONIC, &event, &timer)) {
      break;
    }
    struct itimerspec when = {{0, 1 + made}, {0, 1}};
    need(timer_settime(timer, 0, &when, NULL) == 0, "timer_settime");
  }
  usleep(300000);
  printf("%d timers\n", made);
}

static void maps(void) {
  int made = 0;
  for (; made < 100000; made++) {
    if (mmap(NULL, PAGE, made % 2 ? PROT_READ : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | (made % 3 ? 0 : MAP_NORESERVE), -1, 0) == MAP_FAILED) {
      break;
    }
  }
  char *area = mmap(NULL, 1 << 24, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  for (int i = 0; area != MAP_FAILED && i < 2000; i++) {
    uint32_t at = (i * 2654435761u) % 4000;
    char *from = area + (size_t)at * PAGE;
    switch (i % 5) {
      case 0: munmap(from, 3 * PAGE); break;
      case 1: mmap(from, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0); break;
      case 2: mremap(from, PAGE, 2 * PAGE, MREMAP_MAYMOVE); break;
      case 3: mprotect(from, 5 * PAGE, i % 2 ? PROT_READ : PROT_READ | PROT_WRITE); break;
      default: mremap(from, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, from + 64 * PAGE); break;
    }
  }
  printf("%d maps\n", made);
}

static long free_kb(void) {
  long kb = 0;
  char line[256];
  FILE *facts = fopen("/proc/meminfo", "r");
  while (facts && fgets(line, sizeof line, facts)) {
    sscanf(line, "MemFree: %ld kB", &kb);
  }
  return kb;
}

// Shared memory that comes and goes.
static void shared(void) {
  long before = free_kb();
  for (int i = 0; i < 400; i++) {
    size_t size = 32 << 20;
    char *area = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    need(area != MAP_FAILED, "mmap");
    for (size_t at = 0; at < size; at += 64 * PAGE) {
      area[at] = 1;
    }
    need(munmap(area, size) == 0, "munmap");
  }
  long kept = before - free_kb();
  printf("%ld kB kept\n", kept);
  need(before > 0 && kept < 50000, "pages go with their last mapping");
}

static void deep(void) {
  need(chdir("/tmp") == 0, "chdir");
  int made = 0;
  for (; made < 20000; made++) {
    if (mkdir("d", 0700) || chdir("d")) {
      break;
    }
  }
  char path[PATH_MAX * 2];
  need(getcwd(path, sizeof path) == NULL || made < 3000, "getcwd says ENAMETOOLONG");
  need(symlink("loop", "loop") == 0 && open("loop", O_RDONLY) < 0 && errno == ELOOP, "ELOOP");
  printf("%d levels\n", made);
}

static void epolls(void) {
  int outer = epoll_create1(0);
  int made = 0;
  for (; made < 3000; made++) {
    int inner = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};
    if (inner < 0 || epoll_ctl(inner, EPOLL_CTL_ADD, outer, &event)) {
      break;
    }
    outer = inner;
  }
  printf("%d nests\n", made);
  need(made < 10, "nests have a limit");
}

static void inotify(void) {
  int fd = inotify_init1(IN_NONBLOCK);
  need(inotify_add_watch(fd, "/tmp", IN_ALL_EVENTS) >= 0, "watch");
  for (int i = 0; i < 30000; i++) {
    int file = open(i % 2 ? "/tmp/a" : "/tmp/b", O_CREAT | O_RDWR, 0600);
    need(file >= 0 && close(file) == 0, "open");
  }
}

static void ipc(void) {
  int queues = 0, segments = 0, sets = 0, posix = 0;
  static struct { long type; char text[8000]; } message = {1, ""};
  for (int id; queues < 100000 && (id = msgget(IPC_PRIVATE, 0600)) >= 0; queues++) {
    while (msgsnd(id, &message, sizeof message.text, IPC_NOWAIT) == 0) {
    }
  }
  for (int id; segments < 20000 && (id = shmget(IPC_PRIVATE, 1 << 20, 0600)) >= 0; segments++) {
  }
  for (int id; sets < 100000 && (id = semget(IPC_PRIVATE, 250, 0600)) >= 0; sets++) {
  }
  char name[32];
  for (; posix < 5000; posix++) {
    snprintf(name, sizeof name, "/q%d", posix);
    mqd_t queue = mq_open(name, O_CREAT | O_RDWR | O_NONBLOCK, 0600, NULL);
    if (queue < 0) {
      break;
    }
    while (mq_send(queue, message.text, 8000, 0) == 0) {
    }
    mq_close(queue);
  }
  printf("%d queues, %d segments, %d sets, %d mqueues\n", queues, segments, sets, posix);
}

static void storm(void) {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, NULL);
  int queued = 0;
  union sigval value = {0};
  while (queued < 1000000 && sigqueue(getpid(), SIGRTMIN, value) == 0) {
    queued++;
  }
  printf("%d signals\n", queued);
  need(queued < 1000000, "RLIMIT_SIGPENDING");
}

static void filters(void) {
  static struct sock_filter code[4096];
  for (int i = 0; i < 4095; i++) {
    code[i] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, i);
  }
  code[4095] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  struct sock_fprog program = {4096, code};
  need(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs");
  int made = 0;
  while (made < 1000 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0) {
    made++;
  }
  printf("%d filters\n", made);
  need(made < 100, "filters have a limit");
}

static void vectors(void) {
  static struct iovec list[1025];
  for (int i = 0; i < 1025; i++) {
    list[i] = (struct iovec){(void *)PAGE, SSIZE_MAX};
  }
  int fd = open("/tmp/v", O_CREAT | O_RDWR, 0600);
  need(writev(fd, list, 1025) < 0 && writev(fd, list, 1024) < 0 && syscall(SYS_readv, fd, list, -1L) < 0, "refused");
  need(lseek(fd, INT64_MAX, SEEK_SET) >= 0 || errno == EINVAL, "lseek");
  need(write(fd, "x", 1) < 0, "no write past the end");
  need(ftruncate(fd, INT64_MAX) == 0 || errno == EFBIG, "ftruncate");
  need(fallocate(fd, 0, INT64_MAX - 1, 2) < 0, "fallocate");
}

static volatile int stop;
static char *volatile target;
static int ends[2];

static void *unmapper(void *unused) {
  (void)unused;
  while (!stop) {
    munmap(target, PAGE * 4);
    mmap(target, PAGE * 4, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  }
  return NULL;
}

static void *closer(void *unused) {
  (void)unused;
  while (!stop) {
    int fd = dup(ends[0]);
    close(fd);
    dup2(ends[0], fd);
    close(fd);
  }
  return NULL;
}

static void races(void) {
  target = mmap(NULL, PAGE * 4, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  need(pipe2(ends, O_NONBLOCK) == 0, "pipe");
  int zero = open("/dev/zero", O_RDONLY); // before there is a closer, who closes whatever gets the number that he has just had
  pthread_t first, second;
  pthread_create(&first, NULL, unmapper, NULL);
  pthread_create(&second, NULL, closer, NULL);
  for (int i = 0; i < 3000; i++) {
    if (read(zero, target, PAGE * 4) < 0) {
      need(errno == EFAULT, "read");
    }
    if (write(ends[1], target, PAGE * 3) < 0) {
      need(errno == EFAULT || errno == EAGAIN, "write");
    }
    if (read(ends[0], target, PAGE * 4) < 0) {
      need(errno == EFAULT || errno == EAGAIN, "read");
    }
    if (i % 100 == 0) {
      pid_t pid = fork();
      if (pid == 0) {
        pthread_t thread;
        for (int j = 0; j < 4; j++) {
          pthread_create(&thread, NULL, j % 2 ? unmapper : closer, NULL);
        }
        if (i % 200) {
          execl("/proc/self/exe", "hostile", "nothing", NULL);
        }
        _exit(0);
      }
      waitpid(pid, NULL, 0);
    }
  }
  stop = 1;
  pthread_join(first, NULL);
  pthread_join(second, NULL);
}

// Programs with bytes changed at random, in the headers above all.
static void images(void) {
  static char image[2 << 20];
  int fd = open("/proc/self/exe", O_RDONLY);
  ssize_t size = read(fd, image, sizeof image);
  close(fd);
  need(size > 1000, "read the program");
  uint64_t state = 88172645463325252ULL;
  for (int i = 0; i < 150; i++) {
    static char changed[sizeof image];
    memcpy(changed, image, size);
    if (i % 5 == 4) {
      memcpy(changed, i % 10 == 4 ? "#!/tmp/program\n" : "#! \t/proc/self/exe nothing ", 16);
    }
    for (int j = 0; j < 1 + i % 7; j++) {
      state ^= state << 13;
      state ^= state >> 7;
      state ^= state << 17;
      uint64_t at = i % 2 ? state % 64 : 64 + state % 700;
      changed[at] = i % 3 ? state >> 32 : (state >> 32) % 2 ? 0xff : 0x7f;
    }
    fd = open("/tmp/program", O_CREAT | O_TRUNC | O_WRONLY, 0700);
    need(write(fd, changed, i % 11 == 10 ? state % 1000 : (size_t)size) >= 0, "write");
    close(fd);
    pid_t pid = fork();
    if (pid == 0) {
      alarm(2);
      execl("/tmp/program", "/tmp/program", "nothing", NULL);
      _exit(1);
    }
    need(waitpid(pid, NULL, 0) == pid, "wait");
  }
}

static void nothing(void) {
}

int main(int count, char **arguments) {
  static const struct { const char *name; void (*run)(void); } attacks[] = {
      {"forkbomb", forkbomb}, {"files", files}, {"threads", threads}, {"descriptors", descriptors}, {"pipes", pipes}, {"sockets", sockets}, {"buffers", buffers}, {"cycles", cycles},
      {"timers", timers}, {"maps", maps}, {"shared", shared}, {"deep", deep}, {"epolls", epolls}, {"inotify", inotify}, {"ipc", ipc}, {"storm", storm},
      {"filters", filters}, {"vectors", vectors}, {"races", races}, {"images", images}, {"nothing", nothing},
  };
  for (unsigned i = 0; count > 1 && i < sizeof attacks / sizeof attacks[0]; i++) {
    if (strcmp(attacks[i].name, arguments[1]) == 0) {
      attacks[i].run();
      puts("survived");
      return 0;
    }
  }
  return 2;
}
