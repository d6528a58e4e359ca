// Controlling terminals and job control (credentials(7), tty_ioctl(4)): who owns a terminal, who is in front, what the background may not do, and what a hang-up sends.
#include "terminal.h"

static volatile sig_atomic_t seen[65];

static void note(int signal)
{
    seen[signal]++;
}

static void catch_signal(int signal)
{
    struct sigaction action = { .sa_handler = note };
    CHECK(sigaction(signal, &action, NULL) == 0);
}

static void await(int signal)
{
    for (int i = 0; i < 500 && !seen[signal]; i++) {
        sleep_ms(10);
    }
    CHECK(seen[signal]);
}

// Runs the rest of the case in a child that leads a session on a new terminal; returns in the child. The parent keeps the master and hands it to `other`.
static pty lead_session(void (*other)(int master, pid_t leader))
{
    pty p = open_pty();
    int go[2];
    CHECK(pipe(go) == 0);
    pid_t child = fork();
    if (child != 0) {
        close(p.slave);
        close(go[1]);
        char c;
        CHECK_EQ(read(go[0], &c, 1), 1);
        if (other) {
            other(p.master, child);
        }
        CHECK_CHILD(child);
        _exit(0);
    }
    close(go[0]);
    alarm(CASE_SECONDS);
    CHECK(setsid() > 0);
    CHECK(ioctl(p.slave, TIOCSCTTY, 0) == 0);
    if (other) {
        close(p.master);
    }
    CHECK_EQ(write(go[1], "x", 1), 1);
    close(go[1]);
    return p;
}

// A child in a process group of its own, in the background.
static pid_t background(void)
{
    int ready_[2];
    CHECK(pipe(ready_) == 0);
    pid_t child = fork();
    if (child == 0) {
        alarm(CASE_SECONDS);
        setpgid(0, 0);
        CHECK_EQ(write(ready_[1], "x", 1), 1);
        return 0;
    }
    setpgid(child, child);
    char c;
    CHECK_EQ(read(ready_[0], &c, 1), 1);
    close(ready_[0]);
    close(ready_[1]);
    return child;
}

static void expect_stop(int line, pid_t child, int signal)
{
    int status;
    if (waitpid(child, &status, WUNTRACED) != child || !WIFSTOPPED(status) || WSTOPSIG(status) != signal) {
        guest_fail("line %d: wait status 0x%x, not stopped by %d", line, status, signal);
    }
}

static void set_front(int fd, pid_t group)
{
    signal(SIGTTOU, SIG_IGN);
    CHECK(tcsetpgrp(fd, group) == 0);
    signal(SIGTTOU, SIG_DFL);
}

static void stat_of_self(int *tty, int *front)
{
    char text[1024];
    int fd = open("/proc/self/stat", O_RDONLY);
    ssize_t length = read(fd, text, sizeof text - 1);
    CHECK(length > 0);
    text[length] = 0;
    close(fd);
    CHECK(sscanf(strrchr(text, ')'), ") %*c %*d %*d %*d %d %d", tty, front) == 2);
}

CASE(no_terminal_without_a_session)
{
    setsid();
    CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
    pty p = open_pty();
    pid_t group;
    CHECK_ERRNO(tcgetpgrp(p.slave), ENOTTY);
    CHECK_ERRNO(tcgetsid(p.slave), ENOTTY);
    CHECK(ioctl(p.master, TIOCGPGRP, &group) == 0);
    CHECK_EQ(group, 0);
    CHECK_ERRNO(ioctl(p.master, TIOCGSID, &group), ENOTTY);
    CHECK_ERRNO(tcsetpgrp(p.slave, getpid()), ENOTTY);
    int tty, front;
    stat_of_self(&tty, &front);
    CHECK_EQ(tty, 0);
    CHECK_EQ(front, -1);
}

CASE(tiocsctty)
{
    pty p = lead_session(NULL);
    struct stat s;
    CHECK_EQ(tcgetpgrp(p.slave), getpid());
    CHECK_EQ(tcgetsid(p.slave), getpid());
    int tty, front;
    stat_of_self(&tty, &front);
    CHECK(fstat(p.slave, &s) == 0);
    CHECK_EQ(tty, s.st_rdev);
    CHECK_EQ(front, getpid());
    int fd = open("/dev/tty", O_RDWR);
    CHECK(fd >= 0);
    put(fd, "x");
    EXPECT(p.master, "x");
    CHECK(ioctl(p.slave, TIOCSCTTY, 0) == 0);
    pid_t group = 0;
    CHECK(ioctl(p.master, TIOCGPGRP, &group) == 0);
    CHECK_EQ(group, getpid());
    CHECK(ioctl(p.master, TIOCGSID, &group) == 0);
    CHECK_EQ(group, getpid());
}

CASE(tiocsctty_is_for_leaders)
{
    pty p = open_pty();
    CHECK_ERRNO(ioctl(p.slave, TIOCSCTTY, 0), EPERM);
}

CASE(tiocsctty_one_terminal_for_each_session)
{
    lead_session(NULL);
    pty other = open_pty();
    CHECK_ERRNO(ioctl(other.slave, TIOCSCTTY, 0), EPERM);
}

CASE(tiocsctty_one_session_for_each_terminal)
{
    pty p = lead_session(NULL);
    pid_t child = fork();
    if (child == 0) {
        setsid();
        CHECK_ERRNO(ioctl(p.slave, TIOCSCTTY, 0), EPERM);
        CHECK(ioctl(p.slave, TIOCSCTTY, 1) == 0);
        CHECK_EQ(tcgetsid(p.slave), getpid());
        _exit(0);
    }
    CHECK_CHILD(child);
    CHECK_ERRNO(tcgetsid(p.slave), ENOTTY);
    CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
}

CASE(stealing_is_for_root)
{
    pty p = lead_session(NULL);
    pid_t child = fork();
    if (child == 0) {
        setsid();
        CHECK(setresuid(1000, 1000, 1000) == 0);
        CHECK_ERRNO(ioctl(p.slave, TIOCSCTTY, 1), EPERM);
        _exit(0);
    }
    CHECK_CHILD(child);
}

CASE(open_makes_it_controlling)
{
    pty p = open_pty();
    pid_t child = fork();
    if (child == 0) {
        setsid();
        CHECK(open(ptsname(p.master), O_RDWR | O_NOCTTY) >= 0);
        CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
        CHECK(open(ptsname(p.master), O_WRONLY) >= 0);
        CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
        CHECK(open(ptsname(p.master), O_RDONLY) >= 0);
        CHECK(open("/dev/tty", O_RDWR) >= 0);
        CHECK_EQ(tcgetsid(p.slave), getpid());
        _exit(0);
    }
    CHECK_CHILD(child);
}

CASE(open_of_a_master_does_not)
{
    pid_t child = fork();
    if (child == 0) {
        setsid();
        CHECK(open("/dev/ptmx", O_RDWR) >= 0);
        CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
        _exit(0);
    }
    CHECK_CHILD(child);
}

CASE(setsid_leaves_it)
{
    lead_session(NULL);
    pid_t child = fork();
    if (child == 0) {
        CHECK(open("/dev/tty", O_RDWR) >= 0);
        CHECK(setsid() > 0);
        CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
        _exit(0);
    }
    CHECK_CHILD(child);
}

CASE(tiocnotty_by_a_member)
{
    pty p = lead_session(NULL);
    pid_t child = fork();
    if (child == 0) {
        CHECK(ioctl(p.slave, TIOCNOTTY) == 0);
        CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
        CHECK_ERRNO(ioctl(p.slave, TIOCNOTTY), ENOTTY);
        pid_t grandchild = fork();
        if (grandchild == 0) {
            _exit(open("/dev/tty", O_RDWR) == -1 ? 0 : 1);
        }
        CHECK_CHILD(grandchild);
        _exit(0);
    }
    CHECK_CHILD(child);
    CHECK(open("/dev/tty", O_RDWR) >= 0);
}

CASE(tiocnotty_by_the_leader)
{
    pty p = lead_session(NULL);
    catch_signal(SIGHUP);
    catch_signal(SIGCONT);
    CHECK(ioctl(p.slave, TIOCNOTTY) == 0);
    await(SIGHUP);
    await(SIGCONT);
    CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
    CHECK_ERRNO(ioctl(p.master, TIOCNOTTY), ENOTTY);
}

CASE(tcsetpgrp_checks)
{
    pty p = lead_session(NULL);
    CHECK_ERRNO(tcsetpgrp(p.slave, -1), EINVAL);
    CHECK_ERRNO(tcsetpgrp(p.slave, 4000000), ESRCH);
    CHECK_ERRNO(ioctl(p.slave, TIOCSPGRP, BAD_POINTER), EFAULT);
    CHECK_ERRNO(tcsetpgrp(p.slave, getppid()), EPERM);
    CHECK(tcsetpgrp(p.master, getpid()) == 0);
    CHECK(tcsetpgrp(p.slave, getpid()) == 0);
}

CASE(front_goes_to_a_child)
{
    pty p = lead_session(NULL);
    pid_t child = background();
    if (child == 0) {
        pause();
    }
    CHECK(tcsetpgrp(p.slave, child) == 0);
    CHECK_EQ(tcgetpgrp(p.slave), child);
    int tty, front;
    stat_of_self(&tty, &front);
    CHECK_EQ(front, child);
    kill(child, SIGKILL);
    CHECK_EQ(waitpid(child, NULL, 0), child);
    set_front(p.slave, getpid());
}

static void type_interrupt(int master, pid_t leader)
{
    sleep_ms(50);
    put(master, "\003");
}

CASE(interrupt)
{
    catch_signal(SIGINT);
    lead_session(type_interrupt);
    await(SIGINT);
}

static void type_quit(int master, pid_t leader)
{
    sleep_ms(50);
    put(master, "\034");
}

CASE(quit)
{
    catch_signal(SIGQUIT);
    lead_session(type_quit);
    await(SIGQUIT);
}

CASE(interrupt_goes_to_the_front_only)
{
    pty p = lead_session(NULL);
    signal(SIGINT, SIG_DFL);
    pid_t child = background();
    if (child == 0) {
        for (;;) {
            pause();
        }
    }
    catch_signal(SIGINT);
    CHECK(tcsetpgrp(p.slave, child) == 0);
    put(p.master, "\003");
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
    CHECK(!seen[SIGINT]);
}

CASE(suspend_and_continue)
{
    pty p = lead_session(NULL);
    pid_t child = background();
    if (child == 0) {
        char c;
        while (tcgetpgrp(p.slave) != getpid()) {
            sleep_ms(5);
        }
        _exit(read(p.slave, &c, 1) == 1 && c == 'q' ? 0 : 1);
    }
    CHECK(tcsetpgrp(p.slave, child) == 0);
    sleep_ms(30);
    put(p.master, "\032");
    expect_stop(__LINE__, child, SIGTSTP);
    set_front(p.slave, getpid());
    set_front(p.slave, child);
    kill(-child, SIGCONT);
    put(p.master, "q\n");
    CHECK_CHILD(child);
}

CASE(interrupt_makes_a_read_fail)
{
    pty p = lead_session(NULL);
    pid_t child = background();
    if (child == 0) {
        char c;
        catch_signal(SIGINT);
        while (tcgetpgrp(p.slave) != getpid()) {
            sleep_ms(5);
        }
        _exit(read(p.slave, &c, 1) == -1 && errno == EINTR ? 0 : 1);
    }
    CHECK(tcsetpgrp(p.slave, child) == 0);
    int status = -1;
    for (int i = 0; i < 100 && waitpid(child, &status, WNOHANG) == 0; i++) {
        sleep_ms(50);
        put(p.master, "\003"); // the first may come before the read
    }
    CHECK_EQ(status, 0);
}

CASE(background_read_stops)
{
    pty p = lead_session(NULL);
    pid_t child = background();
    if (child == 0) {
        char c;
        _exit(read(p.slave, &c, 1) == 1 ? 0 : 1);
    }
    expect_stop(__LINE__, child, SIGTTIN);
    CHECK(tcsetpgrp(p.slave, child) == 0);
    kill(-child, SIGCONT);
    put(p.master, "x\n");
    CHECK_CHILD(child);
}

CASE(background_read_with_a_handler)
{
    pty p = lead_session(NULL);
    pid_t child = background();
    if (child == 0) {
        char c;
        catch_signal(SIGTTIN);
        CHECK_ERRNO(read(p.slave, &c, 1), EINTR);
        CHECK_EQ(seen[SIGTTIN], 1);
        _exit(0);
    }
    CHECK_CHILD(child);
}

CASE(background_read_ignored_is_eio)
{
    pty p = lead_session(NULL);
    pid_t child = background();
    if (child == 0) {
        char c;
        signal(SIGTTIN, SIG_IGN);
        CHECK_ERRNO(read(p.slave, &c, 1), EIO);
        signal(SIGTTIN, SIG_DFL);
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGTTIN);
        sigprocmask(SIG_BLOCK, &set, NULL);
        CHECK_ERRNO(read(p.slave, &c, 1), EIO);
        _exit(0);
    }
    CHECK_CHILD(child);
}

CASE(background_write_is_allowed)
{
    pty p = lead_session(NULL);
    pid_t child = background();
    if (child == 0) {
        put(p.slave, "x");
        _exit(0);
    }
    CHECK_CHILD(child);
    EXPECT(p.master, "x");
}

CASE(tostop_stops_background_writers)
{
    pty p = lead_session(NULL);
    change(p.slave, 0, 0, 0, 0, 0, TOSTOP);
    pid_t child = background();
    if (child == 0) {
        put(p.slave, "x");
        _exit(0);
    }
    expect_stop(__LINE__, child, SIGTTOU);
    NOTHING(p.master);
    CHECK(tcsetpgrp(p.slave, child) == 0);
    kill(-child, SIGCONT);
    CHECK_CHILD(child);
    EXPECT(p.master, "x");
}

CASE(tostop_ignored_writes)
{
    pty p = lead_session(NULL);
    change(p.slave, 0, 0, 0, 0, 0, TOSTOP);
    pid_t child = background();
    if (child == 0) {
        signal(SIGTTOU, SIG_IGN);
        put(p.slave, "x");
        _exit(0);
    }
    CHECK_CHILD(child);
}

CASE(background_settings_stop)
{
    pty p = lead_session(NULL);
    pid_t child = background();
    if (child == 0) {
        change(p.slave, 0, 0, ECHO, 0, 0, 0);
        _exit(0);
    }
    expect_stop(__LINE__, child, SIGTTOU);
    CHECK(tcsetpgrp(p.slave, child) == 0);
    kill(-child, SIGCONT);
    CHECK_CHILD(child);
}

CASE(background_settings_ignored)
{
    pty p = lead_session(NULL);
    pid_t child = background();
    if (child == 0) {
        signal(SIGTTOU, SIG_IGN);
        change(p.slave, 0, 0, ECHO, 0, 0, 0);
        CHECK(tcsetpgrp(p.slave, getpid()) == 0);
        _exit(0);
    }
    CHECK_CHILD(child);
}

CASE(background_tcsetpgrp_stops)
{
    pty p = lead_session(NULL);
    pid_t child = background();
    if (child == 0) {
        tcsetpgrp(p.slave, getpid());
        _exit(0);
    }
    expect_stop(__LINE__, child, SIGTTOU);
    CHECK_EQ(tcgetpgrp(p.slave), getpid());
    kill(child, SIGKILL);
}

CASE(background_flush_and_flow_stop)
{
    pty p = lead_session(NULL);
    pid_t child = background();
    if (child == 0) {
        tcflush(p.slave, TCIFLUSH);
        tcflow(p.slave, TCOOFF);
        _exit(0);
    }
    expect_stop(__LINE__, child, SIGTTOU);
    kill(child, SIGCONT);
    expect_stop(__LINE__, child, SIGTTOU);
    kill(child, SIGKILL);
}

CASE(background_questions_are_free)
{
    pty p = lead_session(NULL);
    pid_t child = background();
    if (child == 0) {
        struct termios t;
        struct winsize w = { 10, 10, 0, 0 };
        CHECK(tcgetattr(p.slave, &t) == 0 && ioctl(p.slave, TIOCSWINSZ, &w) == 0);
        CHECK(tcgetpgrp(p.slave) != getpid());
        _exit(0);
    }
    CHECK_CHILD(child);
}

CASE(orphaned_background_read_is_eio)
{
    pty p = lead_session(NULL);
    int report[2];
    CHECK(pipe(report) == 0);
    pid_t middle = fork();
    if (middle == 0) {
        pid_t parent = getpid();
        if (fork() == 0) {
            setpgid(0, 0);
            while (getppid() == parent) {
                sleep_ms(5);
            }
            sleep_ms(20);
            char c;
            int ok = read(p.slave, &c, 1) == -1 && errno == EIO;
            CHECK_EQ(write(report[1], ok ? "y" : "n", 1), 1);
            _exit(0);
        }
        sleep_ms(20);
        _exit(0);
    }
    CHECK_CHILD(middle);
    char c;
    CHECK_EQ(read(report[0], &c, 1), 1);
    CHECK_EQ(c, 'y');
}

CASE(orphaned_stopped_group_is_hung_up)
{
    int report[2];
    CHECK(pipe(report) == 0);
    pid_t leader = fork(); // whoever inherits orphans is in another session then
    if (leader != 0) {
        CHECK_CHILD(leader);
        return;
    }
    alarm(CASE_SECONDS);
    CHECK(setsid() > 0);
    pid_t middle = fork();
    if (middle == 0) {
        pid_t inner = fork();
        if (inner == 0) {
            setpgid(0, 0);
            catch_signal(SIGHUP);
            catch_signal(SIGCONT);
            raise(SIGSTOP);
            for (int i = 0; i < 300 && !(seen[SIGHUP] && seen[SIGCONT]); i++) {
                sleep_ms(10);
            }
            CHECK_EQ(write(report[1], seen[SIGHUP] && seen[SIGCONT] ? "y" : "n", 1), 1);
            _exit(0);
        }
        setpgid(inner, inner);
        int status;
        CHECK_EQ(waitpid(inner, &status, WUNTRACED), inner);
        _exit(0);
    }
    CHECK_CHILD(middle);
    char c;
    CHECK_EQ(read(report[0], &c, 1), 1);
    CHECK_EQ(c, 'y');
    _exit(0);
}

CASE(leaders_end_hangs_the_front_up)
{
    pty p = open_pty();
    int report[2], go[2];
    CHECK(pipe(report) == 0 && pipe(go) == 0);
    pid_t leader = fork();
    if (leader == 0) {
        alarm(CASE_SECONDS);
        setsid();
        CHECK(ioctl(p.slave, TIOCSCTTY, 0) == 0);
        pid_t child = background();
        if (child == 0) {
            catch_signal(SIGHUP);
            CHECK_EQ(write(go[1], "x", 1), 1);
            for (int i = 0; i < 300 && !seen[SIGHUP]; i++) {
                sleep_ms(10);
            }
            int gone = open("/dev/tty", O_RDWR) == -1 && errno == ENXIO;
            CHECK_EQ(write(report[1], seen[SIGHUP] && gone ? "y" : "n", 1), 1);
            _exit(0);
        }
        CHECK(tcsetpgrp(p.slave, child) == 0);
        char c;
        CHECK_EQ(read(go[0], &c, 1), 1);
        _exit(0);
    }
    CHECK_CHILD(leader);
    char c;
    CHECK_EQ(read(report[0], &c, 1), 1);
    CHECK_EQ(c, 'y');
    pid_t group = -1;
    CHECK(ioctl(p.master, TIOCGPGRP, &group) == 0);
    CHECK_EQ(group, 0);
}

static void close_master(int master, pid_t leader)
{
    sleep_ms(50);
    close(master);
}

CASE(hang_up_tells_the_leader)
{
    catch_signal(SIGHUP);
    catch_signal(SIGCONT);
    pty p = lead_session(close_master);
    await(SIGHUP);
    await(SIGCONT);
    char c;
    CHECK_EQ(read(p.slave, &c, 1), 0);
    CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
    CHECK_ERRNO(tcgetsid(p.slave), EIO);
}

CASE(hang_up_reaches_the_front_through_the_leader)
{
    pty p = open_pty();
    int report[2], go[2];
    CHECK(pipe(report) == 0 && pipe(go) == 0);
    pid_t leader = fork();
    if (leader == 0) {
        alarm(CASE_SECONDS);
        close(p.master);
        setsid();
        CHECK(ioctl(p.slave, TIOCSCTTY, 0) == 0);
        pid_t child = background();
        if (child == 0) {
            catch_signal(SIGHUP);
            CHECK_EQ(write(go[1], "x", 1), 1);
            for (int i = 0; i < 300 && !seen[SIGHUP]; i++) {
                sleep_ms(10);
            }
            CHECK_EQ(write(report[1], seen[SIGHUP] ? "y" : "n", 1), 1);
            _exit(0);
        }
        CHECK(tcsetpgrp(p.slave, child) == 0);
        for (;;) {
            pause();
        }
    }
    char c;
    CHECK_EQ(read(go[0], &c, 1), 1);
    sleep_ms(30);
    close(p.master);
    int status;
    CHECK_EQ(waitpid(leader, &status, 0), leader);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGHUP);
    CHECK_EQ(read(report[0], &c, 1), 1);
    CHECK_EQ(c, 'y');
}

static void resize(int master, pid_t leader)
{
    sleep_ms(50);
    struct winsize size = { 33, 99, 0, 0 };
    CHECK(ioctl(master, TIOCSWINSZ, &size) == 0);
}

CASE(resize_tells_the_front)
{
    catch_signal(SIGWINCH);
    pty p = lead_session(resize);
    await(SIGWINCH);
    struct winsize size;
    CHECK(ioctl(p.slave, TIOCGWINSZ, &size) == 0);
    CHECK(size.ws_row == 33 && size.ws_col == 99);
    seen[SIGWINCH] = 0;
    CHECK(ioctl(p.slave, TIOCSWINSZ, &size) == 0);
    sleep_ms(30);
    CHECK_EQ(seen[SIGWINCH], 0);
}

static void send_by_master(int master, pid_t leader)
{
    CHECK_ERRNO(ioctl(master, 0x40045436, SIGKILL), EINVAL);
    CHECK(ioctl(master, 0x40045436, SIGINT) == 0);
}

CASE(tiocsig)
{
    catch_signal(SIGINT);
    lead_session(send_by_master);
    await(SIGINT);
}

CASE(terminal_is_free_after_its_session)
{
    pty p = open_pty();
    for (int i = 0; i < 3; i++) {
        pid_t child = fork();
        if (child == 0) {
            setsid();
            CHECK(ioctl(p.slave, TIOCSCTTY, 0) == 0);
            _exit(0);
        }
        CHECK_CHILD(child);
    }
}

CASE(tcsetpgrp_of_a_dead_group)
{
    pty p = lead_session(NULL);
    pid_t child = background();
    if (child == 0) {
        _exit(0);
    }
    CHECK(tcsetpgrp(p.slave, child) == 0);
    CHECK_CHILD(child);
    CHECK_EQ(tcgetpgrp(p.slave), child);
    char c;
    signal(SIGTTIN, SIG_IGN);
    CHECK_ERRNO(read(p.slave, &c, 1), EIO);
    set_front(p.slave, getpid());
    put(p.master, "x\n");
    EXPECT_READ(p.slave, 10, "x\n");
}

CASE(two_sessions_read_one_terminal)
{
    pty p = lead_session(NULL);
    pid_t child = fork();
    if (child == 0) {
        setsid();
        char c[10];
        _exit(read(p.slave, c, 10) == 3 ? 0 : 1); // not its terminal: no job control
    }
    sleep_ms(50);
    put(p.master, "ab\n");
    CHECK_CHILD(child);
}

GUEST_MAIN("jobcontrol")
