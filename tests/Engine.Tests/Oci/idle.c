// Idle TCP connections, each watched by epoll and used once: "idle pairs COUNT", both ends here, "idle accept COUNT" from a peer, "idle connect COUNT ADDRESS" to one.
// Some come first and the line "warm"; then, where connections begin after SIGUSR1, COUNT more and the line "ready". They stay until the program is killed.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PORT = 7000, WARM = 200, MESSAGE = 100 };

static int interest, listener;
static struct sockaddr_in peer = {.sin_family = AF_INET};

static void watch(int fd) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.fd = fd};
  if (epoll_ctl(interest, EPOLL_CTL_ADD, fd, &event))
    err(1, "epoll_ctl");
}

static void say(int fd) {
  char message[MESSAGE] = "";
  if (send(fd, message, MESSAGE, 0) != MESSAGE)
    err(1, "send");
}

static void hear(int fd) {
  char message[MESSAGE];
  if (recv(fd, message, MESSAGE, MSG_WAITALL) != MESSAGE)
    err(1, "recv");
}

static void make(int count, int connects, int accepts) {
  for (int i = 0; i < count; i++) {
    int active = -1, passive = -1;
    if (connects) {
      active = socket(AF_INET, SOCK_STREAM, 0);
      if (connect(active, (struct sockaddr *)&peer, sizeof peer))
        err(1, "connect");
      watch(active);
      say(active);
    }
    if (accepts) {
      if ((passive = accept(listener, NULL, NULL)) < 0)
        err(1, "accept");
      watch(passive);
      hear(passive);
      say(passive);
    }
    if (connects)
      hear(active);
  }
}

int main(int argc, char **argv) {
  if (argc < 3)
    errx(1, "usage");
  int connects = strcmp(argv[1], "accept") != 0, accepts = strcmp(argv[1], "connect") != 0, signal;
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  sigset_t go;
  sigemptyset(&go);
  sigaddset(&go, SIGUSR1);
  sigprocmask(SIG_BLOCK, &go, NULL);
  setvbuf(stdout, NULL, _IOLBF, 0);
  interest = epoll_create1(0);
  peer.sin_port = htons(PORT);
  if (accepts) {
    listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&peer, sizeof peer) || listen(listener, 1024))
      err(1, "listen");
  }
  peer.sin_addr.s_addr = inet_addr(argc > 3 ? argv[3] : "127.0.0.1");
  make(WARM, connects, accepts);
  puts("warm");
  if (connects)
    sigwait(&go, &signal);
  make(atoi(argv[2]), connects, accepts);
  puts("ready");
  pause();
}
