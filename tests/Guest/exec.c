// execve(2), execveat(2), scripts, ELF loading, set-id programs
#include "guest.h"
#include <elf.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static void put(const char *name, const void *bytes, size_t length, mode_t mode)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, bytes, length), length);
    CHECK_EQ(fchmod(fd, mode), 0);
    CHECK_EQ(close(fd), 0);
}

static void script(const char *name, const char *text)
{
    put(name, text, strlen(text), 0755);
}

// Executes in a child and returns its wait status; what it printed is in the file "out".
static int run(const char *path, char *const arguments[], char *const environment[])
{
    pid_t pid = fork();
    if (pid == 0) {
        int fd = open("out", O_WRONLY | O_CREAT | O_TRUNC, 0600);
        dup2(fd, 1);
        execve(path, arguments, environment);
        _exit(100 + (errno > 100 ? 0 : errno));
    }
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    return status;
}

static void expect(const char *text)
{
    char buffer[4096] = "";
    int fd = open("out", O_RDONLY);
    CHECK(read(fd, buffer, sizeof buffer - 1) >= 0);
    if (strcmp(buffer, text) != 0) {
        guest_fail("printed \"%s\", not \"%s\"", buffer, text);
    }
    close(fd);
}

static char *const no_environment[] = { NULL };

// A program of 64 bits that exits with a status: one segment with header and code.
typedef struct {
    Elf64_Ehdr header;
    Elf64_Phdr segment;
    unsigned char code[12];
} tiny;

static tiny program(int status)
{
    tiny result = {
        .header = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT }, .e_type = ET_EXEC, .e_machine = EM_X86_64, .e_version = EV_CURRENT,
            .e_entry = 0x400000 + offsetof(tiny, code), .e_phoff = offsetof(tiny, segment), .e_ehsize = sizeof(Elf64_Ehdr), .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 1 },
        .segment = { .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = 0x400000, .p_filesz = sizeof(tiny), .p_memsz = sizeof(tiny), .p_align = 4096 },
        .code = { 0xbf, status, 0, 0, 0, 0xb8, SYS_exit, 0, 0, 0, 0x0f, 0x05 },
    };
    return result;
}

static int run_tiny(const tiny *image)
{
    put("tiny", image, sizeof *image, 0755);
    return run("./tiny", (char *[]){ "tiny", NULL }, no_environment);
}

CASE(arguments_and_environment)
{
    script("s", "#!/bin/sh\necho \"$#:$1:$2:$A\"\n");
    CHECK_EQ(run("./s", (char *[]){ "s", "one", "two words", NULL }, (char *[]){ "A=value", NULL }), 0);
    expect("2:one:two words:value\n");
}

CASE(errors)
{
    put("plain", "no program", 10, 0644);
    put("text", "no program", 10, 0755);
    put("empty", "", 0, 0755);
    CHECK_EQ(mkdir("d", 0755), 0);
    char *arguments[] = { "x", NULL };
    CHECK_ERRNO(execve("none", arguments, no_environment), ENOENT);
    CHECK_ERRNO(execve("plain", arguments, no_environment), EACCES);
    CHECK_ERRNO(execve("text", arguments, no_environment), ENOEXEC);
    CHECK_ERRNO(execve("empty", arguments, no_environment), ENOEXEC);
    CHECK_ERRNO(execve("d", arguments, no_environment), EACCES);
    CHECK_ERRNO(execve("text/x", arguments, no_environment), ENOTDIR);
    CHECK_ERRNO(execve("", arguments, no_environment), ENOENT);
    CHECK_ERRNO(execve("/dev/null", arguments, no_environment), EACCES);
    CHECK_ERRNO(syscall(SYS_execve, BAD_POINTER, arguments, no_environment), EFAULT);
    CHECK_ERRNO(syscall(SYS_execve, "/bin/true", BAD_POINTER, no_environment), EFAULT);
    char *bad[] = { (char *)BAD_POINTER, NULL };
    CHECK_ERRNO(syscall(SYS_execve, "/bin/true", bad, no_environment), EFAULT);
    CHECK_EQ(symlink("loop", "loop"), 0);
    CHECK_ERRNO(execve("loop", arguments, no_environment), ELOOP);
}

CASE(argument_that_is_too_long)
{
    char *text = malloc(200000);
    memset(text, 'x', 199999);
    text[199999] = 0;
    CHECK_ERRNO(execve("/bin/true", (char *[]){ "true", text, NULL }, no_environment), E2BIG);
    text[131071] = 0;
    CHECK_EQ(run("/bin/true", (char *[]){ "true", text, NULL }, no_environment), 0);
}

CASE(arguments_that_are_too_many)
{
    char *text = malloc(100000);
    memset(text, 'x', 99999);
    text[99999] = 0;
    char *arguments[200];
    for (int i = 0; i < 199; i++) {
        arguments[i] = text;
    }
    arguments[199] = NULL;
    CHECK_ERRNO(execve("/bin/true", arguments, no_environment), E2BIG);
}

CASE(script_with_an_argument)
{
    script("s", "#!/bin/echo  one two  \n");
    CHECK_EQ(run("./s", (char *[]){ "zero", "a", "b", NULL }, no_environment), 0);
    expect("one two ./s a b\n");
}

CASE(script_of_a_script)
{
    script("a", "#!/bin/echo A\n");
    script("b", "#!./a B\n");
    CHECK_EQ(run("./b", (char *[]){ "b", "x", NULL }, no_environment), 0);
    expect("A ./a B ./b x\n");
}

CASE(scripts_too_deep_are_eloop)
{
    char name[8], text[32];
    script("s0", "#!/bin/echo\n");
    for (int i = 1; i <= 6; i++) {
        snprintf(name, sizeof name, "s%d", i);
        snprintf(text, sizeof text, "#!./s%d\n", i - 1);
        script(name, text);
    }
    CHECK_EQ(run("./s4", (char *[]){ "s", NULL }, no_environment), 0);
    CHECK_ERRNO(execve("./s6", (char *[]){ "s", NULL }, no_environment), ELOOP);
}

CASE(scripts_with_bad_interpreters)
{
    char *arguments[] = { "s", NULL };
    script("a", "#!/none/such\n");
    CHECK_ERRNO(execve("./a", arguments, no_environment), ENOENT);
    script("b", "#!\n");
    CHECK_ERRNO(execve("./b", arguments, no_environment), ENOEXEC);
    script("c", "#!   \n");
    CHECK_ERRNO(execve("./c", arguments, no_environment), ENOEXEC);
    script("d", "#!/tmp\n");
    CHECK_ERRNO(execve("./d", arguments, no_environment), EACCES);
    put("e", "#!/bin/echo x", 13, 0755);
    CHECK_EQ(run("./e", arguments, no_environment), 0);
    expect("x ./e\n");
}

CASE(no_arguments_become_one)
{
    script("s", "#!/bin/sh\necho \"$#\"\n");
    char *none[] = { NULL };
    CHECK_EQ(run("./s", none, no_environment), 0);
    expect("0\n");
}

CASE(execveat_by_descriptor)
{
    tiny image = program(31);
    put("tiny", &image, sizeof image, 0755);
    int fd = open("tiny", O_RDONLY | O_CLOEXEC), path = open("tiny", O_PATH), here = open(".", O_RDONLY);
    char *arguments[] = { "x", NULL };
    pid_t pid = fork();
    if (pid == 0) {
        syscall(SYS_execveat, fd, "", arguments, no_environment, AT_EMPTY_PATH);
        _exit(1);
    }
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 31 << 8);
    pid = fork();
    if (pid == 0) {
        syscall(SYS_execveat, path, "", arguments, no_environment, AT_EMPTY_PATH);
        _exit(1);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 31 << 8);
    pid = fork();
    if (pid == 0) {
        syscall(SYS_execveat, here, "tiny", arguments, no_environment, 0);
        _exit(1);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 31 << 8);
    CHECK_EQ(symlink("tiny", "l"), 0);
    CHECK_ERRNO(syscall(SYS_execveat, here, "l", arguments, no_environment, AT_SYMLINK_NOFOLLOW), ELOOP);
    CHECK_ERRNO(syscall(SYS_execveat, here, "tiny", arguments, no_environment, 0x1), EINVAL);
    CHECK_ERRNO(syscall(SYS_execveat, fd, "", arguments, no_environment, 0), ENOENT);
    script("s", "#!/bin/cat\n");
    int hidden = open("s", O_RDONLY | O_CLOEXEC);
    CHECK_ERRNO(syscall(SYS_execveat, hidden, "", arguments, no_environment, AT_EMPTY_PATH), ENOENT);
}

CASE(close_on_exec)
{
    int kept = open("/dev/null", O_RDONLY), closed = open("/dev/null", O_RDONLY | O_CLOEXEC);
    char text[128];
    snprintf(text, sizeof text, "#!/bin/sh\ntest -e /proc/self/fd/%d && echo kept\ntest -e /proc/self/fd/%d || echo closed\n", kept, closed);
    script("s", text);
    CHECK_EQ(run("./s", (char *[]){ "s", NULL }, no_environment), 0);
    expect("kept\nclosed\n");
}

CASE(tiny_program_runs)
{
    tiny image = program(42);
    CHECK_EQ(run_tiny(&image), 42 << 8);
}

CASE(headers_are_checked)
{
    char *arguments[] = { "x", NULL };
    tiny image = program(1);
    image.header.e_machine = EM_AARCH64;
    put("a", &image, sizeof image, 0755);
    CHECK_ERRNO(execve("./a", arguments, no_environment), ENOEXEC);
    image = program(1);
    image.header.e_type = ET_REL;
    put("a", &image, sizeof image, 0755);
    CHECK_ERRNO(execve("./a", arguments, no_environment), ENOEXEC);
    image = program(1);
    image.header.e_phentsize = 55;
    put("a", &image, sizeof image, 0755);
    CHECK_ERRNO(execve("./a", arguments, no_environment), ENOEXEC);
    image = program(1);
    image.header.e_phnum = 0;
    put("a", &image, sizeof image, 0755);
    CHECK_ERRNO(execve("./a", arguments, no_environment), ENOEXEC);
    put("a", &image, 30, 0755);
    CHECK_ERRNO(execve("./a", arguments, no_environment), ENOEXEC);
}

CASE(interpreter_errors)
{
    char *arguments[] = { "x", NULL };
    struct {
        Elf64_Ehdr header;
        Elf64_Phdr segments[2];
        char name[32];
    } file = { program(1).header };
    file.header.e_phoff = offsetof(__typeof__(file), segments);
    file.header.e_phnum = 2;
    file.segments[0] = (Elf64_Phdr){ .p_type = PT_INTERP, .p_offset = offsetof(__typeof__(file), name), .p_filesz = 13 };
    file.segments[1] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = 0x400000, .p_filesz = sizeof file, .p_memsz = sizeof file, .p_align = 4096 };
    strcpy(file.name, "/none/such/x");
    put("a", &file, sizeof file, 0755);
    CHECK_ERRNO(execve("./a", arguments, no_environment), ENOENT);
    file.name[12] = 'y';
    put("a", &file, sizeof file, 0755);
    CHECK_ERRNO(execve("./a", arguments, no_environment), ENOEXEC);
    strcpy(file.name, "/etc/passwd");
    file.segments[0].p_filesz = 12;
    put("a", &file, sizeof file, 0755);
    CHECK_ERRNO(execve("./a", arguments, no_environment), EACCES);
    strcpy(file.name, "./text");
    put("text", "no program, but long enough to be read as the head of one, which takes sixty-four bytes", 80, 0755);
    file.segments[0].p_filesz = 7;
    put("a", &file, sizeof file, 0755);
    CHECK_ERRNO(execve("./a", arguments, no_environment), ELIBBAD);
}

CASE(zero_filled_tail)
{
    struct {
        Elf64_Ehdr header;
        Elf64_Phdr segments[2];
        unsigned char code[64];
    } file = { program(0).header };
    file.header.e_phnum = 2;
    file.header.e_phoff = offsetof(__typeof__(file), segments);
    file.header.e_entry = 0x400000 + offsetof(__typeof__(file), code);
    file.segments[0] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = 0x400000, .p_filesz = sizeof file, .p_memsz = sizeof file, .p_align = 4096 };
    file.segments[1] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_vaddr = 0x600000, .p_filesz = 16, .p_memsz = 0x5000, .p_align = 4096 };
    // movzx edi, byte [0x600000]; movzx eax, byte [0x600020]; add edi, eax; movzx eax, byte [0x604ff0]; add edi, eax; mov eax, SYS_exit; syscall
    unsigned char code[] = { 0x0f, 0xb6, 0x3c, 0x25, 0, 0, 0x60, 0, 0x0f, 0xb6, 0x04, 0x25, 0x20, 0, 0x60, 0, 0x01, 0xc7, 0x0f, 0xb6, 0x04, 0x25, 0xf0, 0x4f, 0x60, 0,
        0x01, 0xc7, 0xb8, SYS_exit, 0, 0, 0, 0x0f, 0x05 };
    memcpy(file.code, code, sizeof code);
    put("a", &file, sizeof file, 0755);
    CHECK_EQ(run("./a", (char *[]){ "a", NULL }, no_environment), 0x7f << 8);
}

CASE(entry_outside_is_sigsegv)
{
    tiny image = program(1);
    image.header.e_entry = 0x500000;
    CHECK_EQ(run_tiny(&image) & 0x7f, SIGSEGV);
}

CASE(auxiliary_vector)
{
    CHECK_EQ(getauxval(AT_PAGESZ), 4096);
    CHECK_EQ(getauxval(AT_CLKTCK), 100);
    CHECK_EQ(getauxval(AT_UID), getuid());
    CHECK_EQ(getauxval(AT_EGID), getegid());
    CHECK_EQ(getauxval(AT_SECURE), 0);
    CHECK_EQ(getauxval(AT_PHENT), sizeof(Elf64_Phdr));
    CHECK(getauxval(AT_PHDR) != 0 && getauxval(AT_PHNUM) != 0 && getauxval(AT_ENTRY) != 0);
    CHECK(getauxval(AT_RANDOM) != 0);
    CHECK(strcmp((char *)getauxval(AT_PLATFORM), "x86_64") == 0);
    CHECK(strstr((char *)getauxval(AT_EXECFN), "exec") != NULL);
}

CASE(stack_is_aligned_and_ordered)
{
    extern char **environ;
    char **end = environ;
    while (*end) {
        end++;
    }
    Elf64_auxv_t *vector = (Elf64_auxv_t *)(end + 1);
    int found = 0;
    for (; vector->a_type != AT_NULL; vector++) {
        found += vector->a_type == AT_PAGESZ && vector->a_un.a_val == 4096;
    }
    CHECK_EQ(found, 1);
}

CASE(comm_and_exe_follow)
{
    script("short", "#!/bin/sh\ncat /proc/$$/comm; readlink /proc/$$/exe | grep -c sh\n");
    CHECK_EQ(run("./short", (char *[]){ "other", NULL }, (char *[]){ "PATH=/bin:/usr/bin", NULL }), 0);
    expect("short\n1\n");
}

CASE(cmdline_and_environ_in_proc)
{
    script("s", "#!/bin/sh\ntr '\\0' ' ' < /proc/$$/cmdline; echo; tr '\\0' ' ' < /proc/$$/environ\n");
    CHECK_EQ(run("./s", (char *[]){ "s", "a b", "c", NULL }, (char *[]){ "PATH=/bin:/usr/bin", "X=1", NULL }), 0);
    expect("/bin/sh ./s a b c \nPATH=/bin:/usr/bin X=1 ");
}

CASE(busy_files_are_etxtbsy)
{
    tiny image = program(3);
    put("tiny", &image, sizeof image, 0755);
    int fd = open("tiny", O_RDWR);
    CHECK_ERRNO(execve("./tiny", (char *[]){ "x", NULL }, no_environment), ETXTBSY);
    close(fd);
    fd = open("tiny", O_RDONLY);
    CHECK_EQ(run("./tiny", (char *[]){ "x", NULL }, no_environment), 3 << 8);
}

CASE(running_file_can_be_replaced)
{
    script("s", "#!/bin/sh\nrm s; echo gone\n");
    CHECK_EQ(run("./s", (char *[]){ "s", NULL }, (char *[]){ "PATH=/bin:/usr/bin", NULL }), 0);
    expect("gone\n");
}

CASE(set_user_id_program)
{
    // /tmp is mounted nosuid: the program lives elsewhere. It gets its own copy of this program's cases' shell.
    char path[64], command[600];
    snprintf(path, sizeof path, "/var/tmp/guest-set-id-%d", getpid());
    snprintf(command, sizeof command, "rm -rf %s && mkdir %s && cp /usr/bin/id %s/id && chown 1234:1234 %s/id && chmod 6755 %s/id && chmod 755 %s", path, path, path, path, path, path);
    CHECK_EQ(system(command), 0);
    snprintf(command, sizeof command, "%s/id", path);
    pid_t pid = fork();
    if (pid == 0) {
        int fd = open("out", O_WRONLY | O_CREAT, 0666);
        dup2(fd, 1);
        if (setresgid(1000, 1000, 1000) != 0 || setresuid(1000, 1000, 1000) != 0) {
            _exit(1);
        }
        execve(command, (char *[]){ "id", "-u", NULL }, no_environment);
        _exit(2);
    }
    int status, plain;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    pid = fork();
    if (pid == 0) {
        int fd = open("out2", O_WRONLY | O_CREAT, 0666);
        dup2(fd, 1);
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        if (setresuid(1000, 1000, 1000) != 0) {
            _exit(1);
        }
        execve(command, (char *[]){ "id", "-u", NULL }, no_environment);
        _exit(2);
    }
    CHECK_EQ(waitpid(pid, &plain, 0), pid);
    snprintf(command, sizeof command, "rm -rf %s", path);
    CHECK_EQ(system(command), 0);
    CHECK_EQ(status, 0);
    CHECK_EQ(plain, 0);
    expect("1234\n");
    CHECK_EQ(rename("out2", "out"), 0);
    expect("1000\n");
}

CASE(nosuid_mounts_ignore_set_id_bits)
{
    CHECK_EQ(system("cp /usr/bin/id id && chown 1234 id && chmod 4755 id && chmod 755 ."), 0);
    pid_t pid = fork();
    if (pid == 0) {
        int fd = open("out", O_WRONLY | O_CREAT, 0666);
        dup2(fd, 1);
        if (setresuid(1000, 1000, 1000) != 0) {
            _exit(1);
        }
        execve("./id", (char *[]){ "id", "-u", NULL }, no_environment);
        _exit(2);
    }
    CHECK_CHILD(pid);
    expect("1000\n");
}

CASE(limits_survive)
{
    struct rlimit limit = { 77, 88 };
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    script("s", "#!/bin/sh\nulimit -n; ulimit -H -n\n");
    CHECK_EQ(run("./s", (char *[]){ "s", NULL }, no_environment), 0);
    expect("77\n88\n");
}

GUEST_MAIN("exec")
