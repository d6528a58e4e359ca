// The line discipline (termios(3)): settings, editing, echo, output, flow control, VMIN and VTIME.
#include "terminal.h"

CASE(defaults)
{
    pty p = open_pty();
    struct termios t;
    CHECK(tcgetattr(p.slave, &t) == 0);
    CHECK_EQ(t.c_iflag, ICRNL | IXON);
    CHECK_EQ(t.c_oflag, OPOST | ONLCR);
    CHECK_EQ(t.c_cflag, B38400 | CS8 | CREAD);
    CHECK_EQ(t.c_lflag, ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN);
    unsigned char cc[] = { 3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0 };
    CHECK(memcmp(t.c_cc, cc, sizeof cc) == 0);
    CHECK_EQ(cfgetospeed(&t), B38400);
}

CASE(settings_are_those_of_both_sides)
{
    pty p = open_pty();
    change(p.slave, ICRNL, 0, ECHO, IUTF8, 0, 0);
    struct termios a, b;
    CHECK(tcgetattr(p.slave, &a) == 0 && tcgetattr(p.master, &b) == 0);
    CHECK_EQ(a.c_iflag, IXON | IUTF8);
    CHECK(a.c_iflag == b.c_iflag && a.c_lflag == b.c_lflag);
    change(p.master, 0, 0, 0, 0, 0, ECHO);
    CHECK(tcgetattr(p.slave, &a) == 0 && (a.c_lflag & ECHO));
}

CASE(size_and_parity_stay)
{
    pty p = open_pty();
    struct termios t;
    CHECK(tcgetattr(p.slave, &t) == 0);
    t.c_cflag = B9600 | CS7 | PARENB | CREAD;
    CHECK(tcsetattr(p.slave, TCSANOW, &t) == 0);
    CHECK(tcgetattr(p.slave, &t) == 0);
    CHECK_EQ(t.c_cflag, B9600 | CS8 | CREAD);
}

CASE(termios2_has_speeds)
{
    struct termios2_ { tcflag_t i, o, c, l; cc_t line, cc[19]; unsigned ispeed, ospeed; } t;
    CHECK_EQ(sizeof t, 44);
    pty p = open_pty();
    CHECK(ioctl(p.slave, 0x802c542a, &t) == 0);
    CHECK_EQ(t.ospeed, 38400);
    t.c = (t.c & ~CBAUD) | 0x1000;
    t.ispeed = t.ospeed = 12345;
    CHECK(ioctl(p.slave, 0x402c542b, &t) == 0);
    memset(&t, 0, sizeof t);
    CHECK(ioctl(p.slave, 0x802c542a, &t) == 0);
    CHECK_EQ(t.ospeed, 12345);
}

CASE(termios_efault)
{
    pty p = open_pty();
    CHECK_ERRNO(ioctl(p.slave, TCGETS, BAD_POINTER), EFAULT);
    CHECK_ERRNO(ioctl(p.slave, TCSETS, BAD_POINTER), EFAULT);
    CHECK_ERRNO(ioctl(p.slave, TIOCGWINSZ, BAD_POINTER), EFAULT);
    CHECK_ERRNO(ioctl(p.slave, FIONREAD, BAD_POINTER), EFAULT);
}

CASE(not_a_terminal)
{
    int fds[2];
    struct termios t;
    CHECK(pipe(fds) == 0);
    CHECK_ERRNO(ioctl(fds[0], TCGETS, &t), ENOTTY);
    CHECK_ERRNO(tcgetpgrp(fds[0]), ENOTTY);
    CHECK_ERRNO(ioctl(open("/dev/null", O_RDWR), TIOCGWINSZ, &t), ENOTTY);
}

CASE(unknown_request)
{
    pty p = open_pty();
    CHECK_ERRNO(ioctl(p.slave, 0x54ff, 0), ENOTTY);
    CHECK_ERRNO(ioctl(p.master, 0x54ff, 0), ENOTTY);
    CHECK_ERRNO(ioctl(p.slave, TIOCMGET, &p), ENOTTY);
}

CASE(line_is_read_whole)
{
    pty p = open_pty();
    put(p.master, "one");
    NOTHING(p.slave);
    put(p.master, "\rtwo\n");
    EXPECT_READ(p.slave, 100, "one\n");
    EXPECT_READ(p.slave, 100, "two\n");
    EXPECT(p.master, "one\r\ntwo\r\n");
}

CASE(line_is_read_in_parts)
{
    pty p = open_pty();
    put(p.master, "abcdef\n");
    EXPECT_READ(p.slave, 4, "abcd");
    EXPECT_READ(p.slave, 4, "ef\n");
}

CASE(eof_alone)
{
    pty p = open_pty();
    put(p.master, "\004");
    EXPECT_READ(p.slave, 10, "");
    NOTHING(p.master);
}

CASE(eof_ends_a_line)
{
    pty p = open_pty();
    put(p.master, "abc\004de\n");
    EXPECT_READ(p.slave, 10, "abc");
    EXPECT_READ(p.slave, 10, "de\n");
}

CASE(eof_behind_a_full_read_is_skipped)
{
    pty p = open_pty();
    put(p.master, "abc\004de\n");
    EXPECT_READ(p.slave, 3, "abc");
    EXPECT_READ(p.slave, 10, "de\n");
}

CASE(eof_behind_a_line_is_an_end)
{
    pty p = open_pty();
    put(p.master, "abc\n\004");
    EXPECT_READ(p.slave, 4, "abc\n");
    EXPECT_READ(p.slave, 4, "");
}

CASE(eol_ends_a_line)
{
    pty p = open_pty();
    struct termios t;
    CHECK(tcgetattr(p.slave, &t) == 0);
    t.c_cc[VEOL] = ';';
    t.c_cc[VEOL2] = ':';
    CHECK(tcsetattr(p.slave, TCSANOW, &t) == 0);
    put(p.master, "a;b:");
    EXPECT_READ(p.slave, 10, "a;");
    EXPECT_READ(p.slave, 10, "b:");
    EXPECT(p.master, "a;b:");
}

CASE(erase_character)
{
    pty p = open_pty();
    put(p.master, "ab\177c\n");
    EXPECT_READ(p.slave, 10, "ac\n");
    EXPECT(p.master, "ab\b \bc\r\n");
}

CASE(erase_nothing)
{
    pty p = open_pty();
    put(p.master, "\177\025\027a\n");
    EXPECT_READ(p.slave, 10, "a\n");
    EXPECT(p.master, "a\r\n");
}

CASE(erase_stays_in_its_line)
{
    pty p = open_pty();
    put(p.master, "ab\n\177\177c\n");
    EXPECT_READ(p.slave, 10, "ab\n");
    EXPECT_READ(p.slave, 10, "c\n");
}

CASE(erase_control_character)
{
    pty p = open_pty();
    put(p.master, "a\001\177\n");
    EXPECT_READ(p.slave, 10, "a\n");
    EXPECT(p.master, "a^A\b \b\b \b\r\n");
}

CASE(erase_utf8)
{
    pty p = open_pty();
    change(p.slave, 0, 0, 0, IUTF8, 0, 0);
    put(p.master, "a\303\251\342\202\254\177\177b\n");
    EXPECT_READ(p.slave, 20, "ab\n");
    EXPECT(p.master, "a\303\251\342\202\254\b \b\b \bb\r\n");
}

CASE(erase_utf8_bytes_without_iutf8)
{
    pty p = open_pty();
    put(p.master, "a\303\251\177\n");
    EXPECT_READ(p.slave, 20, "a\303\n");
}

CASE(erase_tab)
{
    pty p = open_pty();
    put(p.master, "abc\t\177d\n");
    EXPECT_READ(p.slave, 20, "abcd\n");
    EXPECT(p.master, "abc\t\b\b\b\b\bd\r\n");
}

CASE(erase_tab_behind_a_prompt)
{
    pty p = open_pty();
    put(p.slave, "> ");
    put(p.master, "a\t\177\177b\n");
    EXPECT_READ(p.slave, 20, "b\n");
    EXPECT(p.master, "> a\t\b\b\b\b\b\b \bb\r\n");
}

CASE(erase_word)
{
    pty p = open_pty();
    put(p.master, "one two_3  \027x\n");
    EXPECT_READ(p.slave, 20, "one x\n");
    EXPECT(p.master, "one two_3  \b \b\b \b\b \b\b \b\b \b\b \b\b \bx\r\n");
}

CASE(kill_line)
{
    pty p = open_pty();
    put(p.master, "abc\025d\n");
    EXPECT_READ(p.slave, 20, "d\n");
    EXPECT(p.master, "abc\b \b\b \b\b \bd\r\n");
}

CASE(kill_without_echoke)
{
    pty p = open_pty();
    change(p.slave, 0, 0, ECHOKE, 0, 0, 0);
    put(p.master, "abc\025d\n");
    EXPECT_READ(p.slave, 20, "d\n");
    EXPECT(p.master, "abc^U\r\nd\r\n");
}

CASE(erase_without_echoe)
{
    pty p = open_pty();
    change(p.slave, 0, 0, ECHOE, 0, 0, 0);
    put(p.master, "ab\177c\n");
    EXPECT_READ(p.slave, 20, "ac\n");
    EXPECT(p.master, "ab^?c\r\n");
}

CASE(echoprt)
{
    pty p = open_pty();
    change(p.slave, 0, 0, 0, 0, 0, ECHOPRT);
    put(p.master, "abc\177\177d\n");
    EXPECT_READ(p.slave, 20, "ad\n");
    EXPECT(p.master, "abc\\cb/d\r\n");
}

CASE(reprint)
{
    pty p = open_pty();
    put(p.master, "ab\001\022c\n");
    EXPECT_READ(p.slave, 20, "ab\001c\n");
    EXPECT(p.master, "ab^A^R\r\nab^Ac\r\n");
}

CASE(literal_next)
{
    pty p = open_pty();
    put(p.master, "a\026\003\026\177\026\004b\n");
    EXPECT_READ(p.slave, 20, "a\003\177\004b\n");
    EXPECT(p.master, "a^\b^C^\b^?^\b^Db\r\n");
}

CASE(literal_newline_does_not_end_a_line)
{
    pty p = open_pty();
    put(p.master, "a\026\nb\n");
    EXPECT_READ(p.slave, 20, "a\nb\n");
}

CASE(iexten_off)
{
    pty p = open_pty();
    change(p.slave, 0, 0, IEXTEN, 0, 0, 0);
    put(p.master, "ab\027\026\022\n");
    EXPECT_READ(p.slave, 20, "ab\027\026\022\n");
}

CASE(echo_off)
{
    pty p = open_pty();
    change(p.slave, 0, 0, ECHO, 0, 0, 0);
    put(p.master, "secret\n");
    EXPECT_READ(p.slave, 20, "secret\n");
    NOTHING(p.master);
}

CASE(echonl)
{
    pty p = open_pty();
    change(p.slave, 0, 0, ECHO, 0, 0, ECHONL);
    put(p.master, "x\n");
    EXPECT_READ(p.slave, 20, "x\n");
    EXPECT(p.master, "\r\n");
}

CASE(echoctl_off)
{
    pty p = open_pty();
    change(p.slave, 0, 0, ECHOCTL, 0, 0, 0);
    put(p.master, "a\001\n");
    EXPECT(p.master, "a\001\r\n");
}

CASE(tab_is_echoed_as_it_is)
{
    pty p = open_pty();
    put(p.master, "\ta\n");
    EXPECT(p.master, "\ta\r\n");
}

CASE(input_translations)
{
    pty p = open_pty();
    change(p.slave, ICRNL, 0, ECHO | ICANON, INLCR, 0, 0);
    put(p.master, "a\r\n");
    EXPECT(p.slave, "a\r\r");
    change(p.slave, INLCR, 0, 0, IGNCR, 0, 0);
    put(p.master, "b\r\n");
    EXPECT(p.slave, "b\n");
    change(p.slave, IGNCR, 0, 0, ISTRIP, 0, 0);
    put(p.master, "\301\302");
    EXPECT(p.slave, "AB");
    change(p.slave, ISTRIP, 0, 0, IUCLC, 0, 0);
    put(p.master, "AbC");
    EXPECT(p.slave, "abc");
    change(p.slave, IUCLC, 0, 0, PARMRK, 0, 0);
    put(p.master, "\377z");
    EXPECT(p.slave, "\377\377z");
}

CASE(output_translations)
{
    pty p = open_pty();
    put(p.slave, "a\nb\r\n");
    EXPECT(p.master, "a\r\nb\r\r\n");
    change(p.slave, 0, ONLCR, 0, 0, OCRNL, 0);
    put(p.slave, "a\r\n");
    EXPECT(p.master, "a\n\n");
    change(p.slave, 0, OCRNL, 0, 0, ONLCR | ONOCR, 0);
    put(p.slave, "\ra\r\r");
    EXPECT(p.master, "\ra\r");
    change(p.slave, 0, ONOCR, 0, 0, OLCUC, 0);
    put(p.slave, "aZ\n");
    EXPECT(p.master, "AZ\r\n");
    change(p.slave, 0, OLCUC, 0, 0, XTABS, 0);
    put(p.slave, "ab\tc\n");
    EXPECT(p.master, "ab      c\r\n");
    change(p.slave, 0, OPOST, 0, 0, 0, 0);
    put(p.slave, "a\n\t");
    EXPECT(p.master, "a\n\t");
}

CASE(signals_without_a_session_flush)
{
    pty p = open_pty();
    put(p.master, "abc\003d\n");
    EXPECT_READ(p.slave, 20, "d\n");
    EXPECT(p.master, "^Cd\r\n");
}

CASE(noflsh_keeps_input)
{
    pty p = open_pty();
    change(p.slave, 0, 0, 0, 0, 0, NOFLSH);
    put(p.master, "abc\003d\n");
    EXPECT_READ(p.slave, 20, "abcd\n");
    EXPECT(p.master, "abc^Cd\r\n");
}

CASE(isig_off)
{
    pty p = open_pty();
    change(p.slave, 0, 0, ISIG, 0, 0, 0);
    put(p.master, "a\003\034\032b\n");
    EXPECT_READ(p.slave, 20, "a\003\034\032b\n");
}

CASE(disabled_character)
{
    pty p = open_pty();
    struct termios t;
    CHECK(tcgetattr(p.slave, &t) == 0);
    t.c_cc[VINTR] = t.c_cc[VEOF] = _POSIX_VDISABLE;
    CHECK(tcsetattr(p.slave, TCSANOW, &t) == 0);
    CHECK_EQ(write(p.master, "a\003\0\004b\n", 6), 6);
    EXPECT_READ(p.slave, 20, "a\003\0\004b\n");
}

CASE(raw_passes_all)
{
    pty p = open_pty();
    set_raw(p.slave, 1, 0);
    char all[256];
    for (int i = 0; i < 256; i++) {
        all[i] = i;
    }
    CHECK_EQ(write(p.master, all, 256), 256);
    expect_bytes(__LINE__, p.slave, all, 256);
    CHECK_EQ(write(p.slave, all, 256), 256);
    expect_bytes(__LINE__, p.master, all, 256);
}

CASE(xon_xoff)
{
    pty p = open_pty();
    put(p.master, "\023");
    sleep_ms(20);
    CHECK_EQ(ready(p.slave, POLLOUT, 0), 0);
    CHECK(fcntl(p.slave, F_SETFL, O_RDWR | O_NONBLOCK) == 0);
    CHECK_ERRNO(write(p.slave, "x", 1), EAGAIN);
    put(p.master, "ab");
    NOTHING(p.master);
    put(p.master, "\021");
    EXPECT(p.master, "ab");
    put(p.slave, "x");
    EXPECT(p.master, "x");
}

CASE(ixany)
{
    pty p = open_pty();
    change(p.slave, 0, 0, 0, IXANY, 0, 0);
    put(p.master, "\023");
    sleep_ms(20);
    CHECK_EQ(ready(p.slave, POLLOUT, 0), 0);
    put(p.master, "z");
    CHECK_EQ(ready(p.slave, POLLOUT, 2000), POLLOUT);
    EXPECT(p.master, "z");
}

CASE(ixon_off_starts_output)
{
    pty p = open_pty();
    put(p.master, "\023");
    sleep_ms(20);
    change(p.slave, IXON, 0, 0, 0, 0, 0);
    CHECK_EQ(ready(p.slave, POLLOUT, 2000), POLLOUT);
}

CASE(tcflow)
{
    pty p = open_pty();
    CHECK(tcflow(p.slave, TCOOFF) == 0);
    CHECK_EQ(ready(p.slave, POLLOUT, 0), 0);
    put(p.master, "\021");
    sleep_ms(20);
    CHECK_EQ(ready(p.slave, POLLOUT, 0), 0);
    CHECK(tcflow(p.slave, TCOON) == 0);
    CHECK_EQ(ready(p.slave, POLLOUT, 0), POLLOUT);
    CHECK(tcflow(p.slave, TCIOFF) == 0);
    CHECK(tcflow(p.slave, TCION) == 0);
    EXPECT(p.master, "\023\021");
    CHECK_ERRNO(tcflow(p.slave, 4), EINVAL);
}

CASE(blocked_writer_goes_on)
{
    pty p = open_pty();
    CHECK(tcflow(p.slave, TCOOFF) == 0);
    pid_t child = fork();
    if (child == 0) {
        _exit(write(p.slave, "held", 4) == 4 ? 0 : 1);
    }
    NOTHING(p.master);
    CHECK(tcflow(p.slave, TCOON) == 0);
    EXPECT(p.master, "held");
    CHECK_CHILD(child);
}

CASE(tcflush_input)
{
    pty p = open_pty();
    put(p.master, "abc\n");
    CHECK_EQ(ready(p.slave, POLLIN, 2000), POLLIN);
    CHECK(tcflush(p.slave, TCIFLUSH) == 0);
    NOTHING(p.slave);
    CHECK_ERRNO(tcflush(p.slave, 3), EINVAL);
}

CASE(tcflush_output)
{
    pty p = open_pty();
    put(p.slave, "abc");
    CHECK_EQ(ready(p.master, POLLIN, 2000), POLLIN);
    CHECK(tcflush(p.master, TCIOFLUSH) == 0);
    NOTHING(p.master);
}

CASE(tcsaflush_drops_input)
{
    pty p = open_pty();
    put(p.master, "abc\n");
    CHECK_EQ(ready(p.slave, POLLIN, 2000), POLLIN);
    struct termios t;
    CHECK(tcgetattr(p.slave, &t) == 0 && tcsetattr(p.slave, TCSAFLUSH, &t) == 0);
    NOTHING(p.slave);
}

CASE(drain_and_break)
{
    pty p = open_pty();
    put(p.slave, "abc");
    CHECK(tcdrain(p.slave) == 0);
    CHECK(tcsendbreak(p.slave, 0) == 0);
    CHECK(ioctl(p.slave, TIOCSBRK, 0) == 0 && ioctl(p.slave, TIOCCBRK, 0) == 0);
    EXPECT(p.master, "abc");
}

CASE(fionread)
{
    pty p = open_pty();
    int count = -1;
    put(p.master, "abc");
    sleep_ms(20);
    CHECK(ioctl(p.slave, FIONREAD, &count) == 0);
    CHECK_EQ(count, 0);
    put(p.master, "d\nxy\004");
    CHECK_EQ(ready(p.slave, POLLIN, 2000), POLLIN);
    sleep_ms(20);
    CHECK(ioctl(p.slave, FIONREAD, &count) == 0);
    CHECK_EQ(count, 7);
    CHECK(ioctl(p.slave, TIOCOUTQ, &count) == 0);
    CHECK_EQ(count, 0);
}

CASE(fionread_of_the_master)
{
    pty p = open_pty();
    int count = -1;
    put(p.slave, "abc\n");
    CHECK_EQ(ready(p.master, POLLIN, 2000), POLLIN);
    sleep_ms(30);
    CHECK(ioctl(p.master, FIONREAD, &count) == 0);
    CHECK_EQ(count, 5);
}

CASE(min_waits_for_so_many)
{
    pty p = open_pty();
    set_raw(p.slave, 3, 0);
    put(p.master, "ab");
    sleep_ms(20);
    CHECK_EQ(ready(p.slave, POLLIN, 0), 0);
    pid_t child = fork();
    if (child == 0) {
        char text[10];
        _exit(read(p.slave, text, 10) == 3 ? 0 : 1);
    }
    sleep_ms(50);
    put(p.master, "c");
    CHECK_CHILD(child);
}

CASE(min_greater_than_the_buffer)
{
    pty p = open_pty();
    set_raw(p.slave, 5, 0);
    put(p.master, "abcdef");
    sleep_ms(20);
    EXPECT_READ(p.slave, 2, "ab");
}

CASE(min_nonblocking_gives_what_is_there)
{
    pty p = open_pty();
    set_raw(p.slave, 5, 0);
    CHECK(fcntl(p.slave, F_SETFL, O_RDWR | O_NONBLOCK) == 0);
    char text[10];
    CHECK_ERRNO(read(p.slave, text, 10), EAGAIN);
    put(p.master, "ab");
    sleep_ms(20);
    EXPECT_READ(p.slave, 10, "ab");
}

CASE(min0_time0_never_waits)
{
    pty p = open_pty();
    set_raw(p.slave, 0, 0);
    EXPECT_READ(p.slave, 10, "");
    CHECK(fcntl(p.slave, F_SETFL, O_RDWR | O_NONBLOCK) == 0);
    EXPECT_READ(p.slave, 10, "");
    put(p.master, "ab");
    sleep_ms(20);
    EXPECT_READ(p.slave, 10, "ab");
}

CASE(min0_time_is_a_timeout)
{
    pty p = open_pty();
    set_raw(p.slave, 0, 2);
    int64_t start = monotonic_ns();
    EXPECT_READ(p.slave, 10, "");
    CHECK(monotonic_ns() - start >= 150000000);
    put(p.master, "x");
    EXPECT_READ(p.slave, 10, "x");
}

CASE(min_time_is_between_bytes)
{
    pty p = open_pty();
    set_raw(p.slave, 10, 1);
    put(p.master, "abc");
    CHECK_EQ(ready(p.slave, POLLIN, 2000), POLLIN);
    EXPECT_READ(p.slave, 20, "abc");
}

CASE(switch_to_raw_shows_the_unfinished_line)
{
    pty p = open_pty();
    put(p.master, "abc");
    sleep_ms(20);
    change(p.slave, 0, 0, ICANON, 0, 0, 0);
    EXPECT_READ(p.slave, 10, "abc");
}

CASE(switch_to_lines_makes_one_of_what_is_there)
{
    pty p = open_pty();
    change(p.slave, 0, 0, ICANON, 0, 0, 0);
    put(p.master, "abc");
    CHECK_EQ(ready(p.slave, POLLIN, 2000), POLLIN);
    change(p.slave, 0, 0, 0, 0, 0, ICANON);
    EXPECT_READ(p.slave, 10, "abc");
}

CASE(switch_wakes_a_reader)
{
    pty p = open_pty();
    put(p.master, "abc");
    pid_t child = fork();
    if (child == 0) {
        char text[10];
        _exit(read(p.slave, text, 10) == 3 ? 0 : 1);
    }
    sleep_ms(50);
    change(p.slave, 0, 0, ICANON, 0, 0, 0);
    CHECK_CHILD(child);
}

CASE(long_line_is_cut)
{
    pty p = open_pty();
    change(p.slave, 0, 0, ECHO, 0, 0, 0);
    char text[5000];
    memset(text, 'x', sizeof text);
    size_t done = 0;
    while (done < sizeof text) {
        ssize_t count = write(p.master, text + done, sizeof text - done < 500 ? sizeof text - done : 500);
        CHECK(count > 0);
        done += count;
    }
    put(p.master, "\n");
    char line[8192];
    ssize_t count = read(p.slave, line, sizeof line);
    CHECK_EQ(count, 4096);
    CHECK(line[4095] == '\n' && line[4094] == 'x');
}

CASE(writer_waits_for_a_reader)
{
    pty p = open_pty();
    set_raw(p.slave, 1, 0);
    CHECK(fcntl(p.master, F_SETFL, O_RDWR | O_NONBLOCK) == 0);
    char text[1000];
    memset(text, 'x', sizeof text);
    long total = 0, count, idle = 0;
    while (idle < 3 && total < 1000000) {
        count = write(p.master, text, sizeof text);
        if (count > 0) {
            total += count;
            idle = 0;
        } else {
            CHECK_ERRNO(write(p.master, text, sizeof text), EAGAIN);
            sleep_ms(20);
            idle++;
        }
    }
    CHECK(total >= 4095 && total < 200000);
    CHECK_EQ(ready(p.master, POLLOUT, 0), 0);
    char buffer[4096];
    long got = 0;
    while (ready(p.slave, POLLIN, 200) && (count = read(p.slave, buffer, sizeof buffer)) > 0) {
        got += count;
    }
    CHECK_EQ(got, total);
    CHECK_EQ(ready(p.master, POLLOUT, 2000), POLLOUT);
}

CASE(echo_of_a_flood_is_complete)
{
    pty p = open_pty();
    for (int i = 0; i < 40; i++) {
        put(p.master, "0123456789012345678901234567890123456789012345678\n");
        char text[100];
        CHECK_EQ(read(p.slave, text, 100), 50);
        CHECK_EQ(ready(p.master, POLLIN, 2000), POLLIN);
        expect_bytes(__LINE__, p.master, "0123456789012345678901234567890123456789012345678\r\n", 51);
    }
}

CASE(tiocsti)
{
    pty p = open_pty();
    char c = 'q', n = '\n';
    CHECK(ioctl(p.slave, TIOCSTI, &c) == 0 && ioctl(p.slave, TIOCSTI, &n) == 0);
    EXPECT_READ(p.slave, 10, "q\n");
    CHECK_ERRNO(ioctl(p.slave, TIOCSTI, BAD_POINTER), EFAULT);
    CHECK(setresuid(1000, 1000, 1000) == 0);
    CHECK_EQ(ioctl(p.slave, TIOCSTI, &c), -1); // EIO, or EPERM where dev.tty.legacy_tiocsti is 1
}

CASE(discipline)
{
    pty p = open_pty();
    int number = -1;
    CHECK(ioctl(p.slave, TIOCGETD, &number) == 0);
    CHECK_EQ(number, 0);
    CHECK(ioctl(p.slave, TIOCSETD, &number) == 0);
    number = 1000;
    CHECK_ERRNO(ioctl(p.slave, TIOCSETD, &number), EINVAL);
}

GUEST_MAIN("termios")
