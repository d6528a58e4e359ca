// Uses files of a folder (its argument) in all ways that outlast a path, asks for more names than a kernel keeps, and checks that the files are the same ones still.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHECK(holds)                                                                       \
  do {                                                                                     \
    if (!(holds)) {                                                                        \
      printf("%s: does not hold: %s (%s)\n", __func__, #holds, strerror(errno));           \
      exit(1);                                                                             \
    }                                                                                      \
  } while (0)

static int open_lower(const char *name) {
  int fd = open(name, O_RDONLY);
  CHECK(fd >= 0);
  return fd;
}

static void put(const char *name, const char *text) {
  int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
  close(fd);
}

static int holds(const char *name, const char *text) {
  char read_back[64] = "";
  int fd = open(name, O_RDONLY);
  ssize_t got = fd < 0 ? -1 : read(fd, read_back, sizeof read_back - 1);
  close(fd);
  return got == (ssize_t)strlen(text) && strcmp(read_back, text) == 0;
}

// A directory remembers a bounded number of names that it lacks: many directories.
static void ask_for_many_names(void) {
  char name[64];
  struct stat status;
  CHECK(mkdir("many", 0755) == 0);
  for (int directory = 0; directory < 20; directory++) {
    snprintf(name, sizeof name, "many/%d", directory);
    CHECK(mkdir(name, 0755) == 0);
    for (int i = 0; i < 4000; i++) {
      snprintf(name, sizeof name, "many/%d/missing%d", directory, i);
      CHECK(stat(name, &status) == -1 && errno == ENOENT);
    }
  }
}

int main(int argc, char **argv) {
  CHECK(argc == 2 && chdir(argv[1]) == 0);
  int locked = open_lower("locked");
  CHECK(flock(locked, LOCK_EX) == 0);
  int events = inotify_init1(IN_NONBLOCK);
  CHECK(events >= 0 && inotify_add_watch(events, "watched", IN_OPEN) > 0);
  int directory = open("directory", O_RDONLY | O_DIRECTORY);
  CHECK(directory >= 0);
  put("changed", "other text");
  CHECK(chmod("mode", 0600) == 0);
  CHECK(unlink("gone") == 0);
  CHECK(rename("old", "new") == 0);
  put("directory/made", "made");
  struct stat before, after;
  CHECK(stat("untouched", &before) == 0);

  ask_for_many_names();

  int again = open_lower("locked");
  CHECK(flock(again, LOCK_EX | LOCK_NB) == -1 && errno == EWOULDBLOCK);
  close(open_lower("watched"));
  char event[4096];
  CHECK(read(events, event, sizeof event) > 0);
  CHECK(holds("changed", "other text"));
  CHECK(stat("mode", &after) == 0 && (after.st_mode & 07777) == 0600);
  CHECK(stat("gone", &after) == -1 && errno == ENOENT);
  CHECK(stat("old", &after) == -1 && errno == ENOENT);
  CHECK(holds("new", "old\n"));
  CHECK(holds("directory/made", "made"));
  CHECK(holds("directory/inside", "inside\n"));
  CHECK(stat("untouched", &after) == 0 && after.st_ino == before.st_ino);
  CHECK(fchdir(directory) == 0 && rename("../directory", "../moved") == 0);
  char where[4096], expected[4096];
  snprintf(expected, sizeof expected, "%s/moved", argv[1]);
  CHECK(getcwd(where, sizeof where) != NULL && strcmp(where, expected) == 0);
  puts("the same");
  return 0;
}
