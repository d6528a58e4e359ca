// randomcalls SEED ROUNDS: children make system calls with random numbers and arguments; whatever happens to a child, the next one starts.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NUMBERS 471
#define CALLS 400
#define AREA (1 << 20)

static uint64_t state;
static char *area;

static uint64_t next(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

static long argument(void) {
  static const long odd[] = {0, 1, -1, 2, 3, 7, 8, 16, 255, 4095, 4096, 4097, 65536, 0x7fffffff, 0x80000000, 0xffffffff, 0x7fffffffffff, 0x800000000000, -4096, INT64_MIN, INT64_MAX, -100};
  switch (next() % 8) {
    case 0: return odd[next() % (sizeof odd / sizeof odd[0])];
    case 1: return next();
    case 2: return next() % 64;
    case 3: return 1L << (next() % 64);
    case 4: return (long)(area + next() % AREA);
    case 5: return (long)(area + (next() % (AREA / 4096)) * 4096);
    case 6: return (long)(area + AREA - next() % 64);
    default: return next() % 12;
  }
}

// Calls that would only end the child early or stop it: they have attacks of their own.
static int is_skipped(long number) {
  switch (number) {
    case SYS_exit: case SYS_exit_group: case SYS_pause: case SYS_rt_sigreturn: case SYS_rt_sigsuspend: case SYS_rt_sigtimedwait:
    case SYS_reboot: case SYS_kill: case SYS_tkill: case SYS_tgkill: case SYS_vfork: case SYS_fork: case SYS_clone: case SYS_clone3:
      return 1;
    default: return 0;
  }
}

static void fill(void) {
  for (int i = 0; i < 512; i++) {
    long value = argument();
    *(long *)(area + (next() % (AREA / 8 - 1)) * 8) = value;
  }
  for (int i = 0; i < 16; i++) {
    char *text = area + (next() % (AREA / 4096)) * 4096;
    static const char *names[] = {"/tmp/a", "/tmp", "/proc/self/mem", "/proc/self/fd/5", "/dev/null", "/dev/ptmx", "/proc/self/maps", "a/../b", "", "/tmp/a/b", "/proc/self/task"};
    snprintf(text, 64, "%s", names[next() % 11]);
  }
}

static void *calls(void *unused) {
  (void)unused;
  for (int i = 0; i < CALLS; i++) {
    long number = next() % NUMBERS;
    if (!is_skipped(number)) {
      syscall(number, argument(), argument(), argument(), argument(), argument(), argument());
    }
  }
  return NULL;
}

static void child(uint64_t seed) {
  state = seed * 0x9e3779b97f4a7c15ULL + 1;
  area = mmap(NULL, AREA + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  munmap(area + AREA, 4096);
  int nowhere = open("/dev/null", O_RDWR);
  for (int i = 0; i < 3; i++) {
    dup2(nowhere, i);
  }
  fill();
  for (int i = 0; i < 6; i++) {
    int pair[2];
    if (pipe2(pair, O_NONBLOCK)) {
      break;
    }
  }
  syscall(SYS_socket, 1, 1 | O_NONBLOCK, 0);
  syscall(SYS_socket, 2, 1 | O_NONBLOCK, 0);
  syscall(SYS_socket, 16, 3 | O_NONBLOCK, 0);
  syscall(SYS_epoll_create1, 0);
  syscall(SYS_memfd_create, "m", 2);
  syscall(SYS_inotify_init1, O_NONBLOCK);
  pthread_t other;
  if (next() % 4 == 0 && pthread_create(&other, NULL, calls, NULL) == 0) {
    calls(NULL);
  } else {
    calls(NULL);
  }
  _exit(0);
}

int main(int count, char **arguments) {
  uint64_t seed = count > 1 ? strtoull(arguments[1], NULL, 0) : 1;
  int rounds = count > 2 ? atoi(arguments[2]) : 100;
  for (int i = 0; i < rounds; i++) {
    pid_t pid = fork();
    if (pid == 0) {
      setpgid(0, 0);
      child(seed + i);
    }
    struct timespec pause = {0, 2000000};
    int waited = 0;
    while (waitpid(pid, NULL, WNOHANG) != pid) {
      nanosleep(&pause, NULL);
      if (++waited > 250) {
        kill(pid, SIGKILL);
        kill(pid, SIGCONT);
        waitpid(pid, NULL, 0);
        break;
      }
    }
    if (i % 50 == 49) {
      printf("%d\n", i + 1);
      fflush(stdout);
    }
  }
  puts("done");
  return 0;
}
