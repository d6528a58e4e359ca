// Changes and shows extended attributes of files in a folder, and prints what the calls say: the same on Linux and in the sandbox. attributes change|show FOLDER, attributes set-one FILE.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static char buffer[65536 + 1];

static void tell(const char *what, long result)
{
    printf("%s: %s", what, result < 0 ? strerror(errno) : "ok");
    if (result > 0) {
        printf(" %ld", result);
    }
    puts("");
}

static int compare(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void show(const char *path)
{
    char *names[64];
    int count = 0;
    static char list[4096];
    long length = listxattr(path, list, sizeof list);
    for (long at = 0; at < length && count < 64; at += (long)strlen(list + at) + 1) {
        if (strncmp(list + at, "user.", 5) == 0) {
            names[count++] = list + at;
        }
    }
    qsort(names, (size_t)count, sizeof *names, compare);
    for (int i = 0; i < count; i++) {
        long size = getxattr(path, names[i], buffer, sizeof buffer - 1);
        printf("%s: %ld bytes: %.20s\n", names[i], size, size > 0 ? (buffer[size] = 0, buffer) : "");
    }
}

static void change(const char *file, const char *folder)
{
    int fd = open(file, O_CREAT | O_RDWR, 0644);
    if (setxattr(file, "user.one", "first", 5, 0) < 0 && errno == EOPNOTSUPP) {
        puts("unsupported");
        exit(0);
    }
    tell("create one that is there", setxattr(file, "user.one", "x", 1, XATTR_CREATE));
    tell("replace one that is not", setxattr(file, "user.two", "x", 1, XATTR_REPLACE));
    tell("replace", setxattr(file, "user.one", "second", 6, XATTR_REPLACE));
    tell("length", getxattr(file, "user.one", NULL, 0));
    tell("short buffer", getxattr(file, "user.one", buffer, 3));
    tell("value", getxattr(file, "user.one", buffer, 6));
    tell("empty", setxattr(file, "user.empty", "", 0, XATTR_CREATE));
    tell("value of it", getxattr(file, "user.empty", buffer, 9));
    tell("empty in its place", setxattr(file, "user.empty", "", 0, XATTR_REPLACE));
    tell("value of it", getxattr(file, "user.empty", buffer, 9));
    tell("empty for none", setxattr(file, "user.none", "", 0, XATTR_REPLACE));
    tell("remove none", removexattr(file, "user.none"));
    tell("missing", getxattr(file, "user.none", buffer, 9));
    tell("by descriptor", fsetxattr(fd, "user.fd", "\0\1\2", 3, 0));
    tell("value of it", fgetxattr(fd, "user.fd", buffer, 9));
    tell("remove by descriptor", fremovexattr(fd, "user.fd"));
    tell("value of it", fgetxattr(fd, "user.fd", buffer, 9));
    tell("on a folder", setxattr(folder, "user.folder", "f", 1, 0));
    tell("unknown class", setxattr(file, "mine.x", "x", 1, 0));
    tell("too long", setxattr(file, "user.big", buffer, 65537, 0));
    for (int i = 0; i < 1024; i++) {
        buffer[i] = (char)(i % 256);
    }
    tell("long", setxattr(file, "user.long", buffer, 1024, 0));
    memset(buffer, 0, sizeof buffer);
    tell("value of it", getxattr(file, "user.long", buffer, 1024));
    long sum = 0;
    for (int i = 0; i < 1024; i++) {
        sum += (unsigned char)buffer[i];
    }
    printf("sum %ld\n", sum);
    tell("on a link", lsetxattr("/proc/self/exe", "user.x", "x", 1, 0));
    close(fd);
}

int main(int argc, char **argv)
{
    static char file[4096];
    if (argc != 3) {
        return 2;
    }
    snprintf(file, sizeof file, "%s/file", argv[2]);
    if (strcmp(argv[1], "change") == 0) {
        change(file, argv[2]);
    } else if (strcmp(argv[1], "show") == 0) {
        show(file);
        show(argv[2]);
    } else {
        tell("user.one", setxattr(argv[2], "user.one", "changed", 7, 0));
    }
    return 0;
}
