// Call sites that are hot at different times of a process's life: more than one page of trampolines holds, and after forks. Prints how many of them were patched.
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096
#define SITES 100
#define SITE_SIZE 16
#define HOT 40

typedef long (*site_fn)(void);

// Code with many calls of getppid(2), each called often enough to be worth a patch; how many were.
static int heat_new_sites(void) {
  unsigned char *code = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  int patched = 0;
  if (code == MAP_FAILED) {
    return -1;
  }
  memset(code, 0x90, PAGE);
  for (int i = 0; i < SITES; i++) {
    memcpy(code + i * SITE_SIZE, "\x90\xb8\x6e\x00\x00\x00\x0f\x05\xc3", 9); // mov eax, 110; syscall; ret
  }
  if (mprotect(code, PAGE, PROT_READ | PROT_EXEC) != 0) {
    return -1;
  }
  for (int i = 0; i < SITES; i++) {
    for (int k = 0; k < HOT; k++) {
      if (((site_fn)(code + i * SITE_SIZE))() != getppid()) {
        return -1;
      }
    }
    patched += code[i * SITE_SIZE + 1] == 0xe9;
  }
  return patched;
}

int main(void) {
  int hold[2];
  int status;
  char byte = 0;
  setvbuf(stdout, NULL, _IONBF, 0);
  printf("first: %d\n", heat_new_sites());
  if (pipe(hold) != 0) {
    return 1;
  }
  pid_t pid = fork();
  if (pid == 0) {
    printf("child: %d\n", heat_new_sites());
    if (write(hold[1], &byte, 1) != 1) {
      _exit(1);
    }
    pause();
  }
  if (read(hold[0], &byte, 1) != 1) {
    return 1;
  }
  printf("parent beside it: %d\n", heat_new_sites());
  kill(pid, SIGKILL);
  waitpid(pid, &status, 0);
  for (int i = 0; i < 100; i++) {
    if ((pid = fork()) == 0) {
      _exit(0);
    }
    waitpid(pid, &status, 0);
  }
  printf("parent of many: %d\n", heat_new_sites());
  return 0;
}
