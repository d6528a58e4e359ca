// futex(2), set_robust_list(2), set_tid_address(2)
#include "guest.h"
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>

static int futex(int *word, int operation, int value, const struct timespec *timeout, int *second, int value3)
{
    return syscall(SYS_futex, word, operation, value, timeout, second, value3);
}

typedef struct {
    int *word;
    int operation;
    int value;
    int bits;
    int result;
    int error;
    volatile int started;
    pthread_t thread;
} waiter;

static void *wait_thread(void *argument)
{
    waiter *self = argument;
    self->started = 1;
    self->result = futex(self->word, self->operation, self->value, NULL, NULL, self->bits);
    self->error = errno;
    return NULL;
}

static void start(waiter *self, int *word, int operation, int bits)
{
    *self = (waiter){ .word = word, .operation = operation, .value = *word, .bits = bits };
    CHECK_EQ(pthread_create(&self->thread, NULL, wait_thread, self), 0);
    while (!self->started) {
        sched_yield();
    }
}

// Wakes until so many have been woken: the threads may not have come to wait yet.
static void wake(int *word, int operation, int bits, int wanted)
{
    for (int total = 0, tries = 0; total < wanted; tries++) {
        int count = futex(word, operation, wanted - total, NULL, NULL, bits);
        CHECK(count >= 0 && tries < 5000);
        total += count;
        if (total < wanted) {
            sleep_ms(1);
        }
    }
}

CASE(wait_on_another_value_is_eagain)
{
    int word = 5;
    CHECK_ERRNO(futex(&word, FUTEX_WAIT, 4, NULL, NULL, 0), EAGAIN);
    CHECK_ERRNO(futex(&word, FUTEX_WAIT_PRIVATE, 4, NULL, NULL, 0), EAGAIN);
}

CASE(wait_times_out)
{
    int word = 5;
    struct timespec time = { 0, 10000000 };
    int64_t before = monotonic_ns();
    CHECK_ERRNO(futex(&word, FUTEX_WAIT, 5, &time, NULL, 0), ETIMEDOUT);
    CHECK(monotonic_ns() - before >= 10000000);
    time = (struct timespec){ 0, 0 };
    CHECK_ERRNO(futex(&word, FUTEX_WAIT, 5, &time, NULL, 0), ETIMEDOUT);
}

CASE(arguments_are_checked)
{
    int words[2] = { 5, 5 };
    CHECK_ERRNO(futex((int *)((char *)words + 1), FUTEX_WAIT, 5, NULL, NULL, 0), EINVAL);
    CHECK_ERRNO(futex((int *)((char *)words + 1), FUTEX_WAKE, 1, NULL, NULL, 0), EINVAL);
    CHECK_ERRNO(futex(BAD_POINTER, FUTEX_WAIT, 5, NULL, NULL, 0), EFAULT);
    CHECK_ERRNO(futex(words, 77, 5, NULL, NULL, 0), ENOSYS);
    struct timespec bad = { 0, 1000000000 };
    CHECK_ERRNO(futex(words, FUTEX_WAIT, 5, &bad, NULL, 0), EINVAL);
    bad = (struct timespec){ -1, 0 };
    CHECK_ERRNO(futex(words, FUTEX_WAIT, 5, &bad, NULL, 0), EINVAL);
    CHECK_ERRNO(futex(words, FUTEX_WAIT, 5, BAD_POINTER, NULL, 0), EFAULT);
    CHECK_ERRNO(futex(words, FUTEX_WAIT_BITSET, 5, NULL, NULL, 0), EINVAL);
    CHECK_ERRNO(futex(words, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0), EINVAL);
    CHECK_ERRNO(futex(words, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 1, NULL, NULL, 0), ENOSYS);
}

CASE(wake_of_nobody_is_zero)
{
    int word = 0;
    CHECK_EQ(futex(&word, FUTEX_WAKE, 10, NULL, NULL, 0), 0);
    CHECK_EQ(futex(&word, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0), 0);
}

CASE(wake_wakes_one)
{
    int word = 0;
    waiter a;
    start(&a, &word, FUTEX_WAIT_PRIVATE, 0);
    wake(&word, FUTEX_WAKE_PRIVATE, 0, 1);
    CHECK_EQ(pthread_join(a.thread, NULL), 0);
    CHECK_EQ(a.result, 0);
}

CASE(wake_counts)
{
    int word = 0;
    waiter waiters[5];
    for (int i = 0; i < 5; i++) {
        start(&waiters[i], &word, FUTEX_WAIT_PRIVATE, 0);
    }
    wake(&word, FUTEX_WAKE_PRIVATE, 0, 2);
    wake(&word, FUTEX_WAKE_PRIVATE, 0, 3);
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(pthread_join(waiters[i].thread, NULL), 0);
        CHECK_EQ(waiters[i].result, 0);
    }
    CHECK_EQ(futex(&word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0), 0);
}

CASE(bits_choose_the_waiters)
{
    int word = 0;
    waiter a, b;
    start(&a, &word, FUTEX_WAIT_BITSET_PRIVATE, 1);
    start(&b, &word, FUTEX_WAIT_BITSET_PRIVATE, 2);
    wake(&word, FUTEX_WAKE_BITSET_PRIVATE, 2, 1);
    CHECK_EQ(pthread_join(b.thread, NULL), 0);
    CHECK_EQ(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, INT_MAX, NULL, NULL, 4), 0);
    wake(&word, FUTEX_WAKE_PRIVATE, 0, 1);
    CHECK_EQ(pthread_join(a.thread, NULL), 0);
}

CASE(absolute_timeouts)
{
    int word = 0;
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    CHECK_ERRNO(futex(&word, FUTEX_WAIT_BITSET, 0, &time, NULL, -1), ETIMEDOUT);
    clock_gettime(CLOCK_REALTIME, &time);
    CHECK_ERRNO(futex(&word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &time, NULL, -1), ETIMEDOUT);
    time.tv_nsec += 5000000;
    if (time.tv_nsec >= 1000000000) {
        time.tv_sec++;
        time.tv_nsec -= 1000000000;
    }
    CHECK_ERRNO(futex(&word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &time, NULL, -1), ETIMEDOUT);
}

CASE(requeue_moves_the_rest)
{
    int words[2] = { 0, 0 };
    waiter waiters[4];
    for (int i = 0; i < 4; i++) {
        start(&waiters[i], &words[0], FUTEX_WAIT_PRIVATE, 0);
    }
    sleep_ms(50);
    int moved = 0, woken = 0;
    for (int tries = 0; woken + moved < 4 && tries < 1000; tries++) {
        int count = futex(&words[0], FUTEX_CMP_REQUEUE_PRIVATE, woken ? 0 : 1, (void *)(long)INT_MAX, &words[1], 0);
        CHECK(count >= 0);
        if (!woken && count > 0) {
            woken = 1;
            count--;
        }
        moved += count;
        sleep_ms(1);
    }
    CHECK_EQ(moved, 3);
    CHECK_EQ(futex(&words[0], FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0), 0);
    CHECK_EQ(futex(&words[1], FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0), 3);
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(pthread_join(waiters[i].thread, NULL), 0);
    }
}

CASE(requeue_is_checked)
{
    int words[2] = { 7, 0 };
    CHECK_ERRNO(futex(&words[0], FUTEX_CMP_REQUEUE, 1, (void *)1, &words[1], 6), EAGAIN);
    CHECK_EQ(futex(&words[0], FUTEX_CMP_REQUEUE, 1, (void *)1, &words[1], 7), 0);
    CHECK_EQ(futex(&words[0], FUTEX_REQUEUE, 1, (void *)1, &words[1], 0), 0);
    CHECK_ERRNO(futex(&words[0], FUTEX_CMP_REQUEUE, -1, (void *)1, &words[1], 7), EINVAL);
    CHECK_ERRNO(futex(&words[0], FUTEX_CMP_REQUEUE, 1, (void *)-1L, &words[1], 7), EINVAL);
    CHECK_ERRNO(futex(&words[0], FUTEX_CMP_REQUEUE, 1, (void *)1, BAD_POINTER, 7), EFAULT);
}

CASE(wake_op_changes_the_second_word)
{
    int words[2] = { 0, 10 };
    CHECK_EQ(futex(&words[0], FUTEX_WAKE_OP, 1, (void *)1, &words[1], FUTEX_OP(FUTEX_OP_ADD, 5, FUTEX_OP_CMP_EQ, 0)), 0);
    CHECK_EQ(words[1], 15);
    futex(&words[0], FUTEX_WAKE_OP, 1, (void *)1, &words[1], FUTEX_OP(FUTEX_OP_SET, 3, FUTEX_OP_CMP_EQ, 0));
    CHECK_EQ(words[1], 3);
    futex(&words[0], FUTEX_WAKE_OP, 1, (void *)1, &words[1], FUTEX_OP(FUTEX_OP_OR, 12, FUTEX_OP_CMP_EQ, 0));
    CHECK_EQ(words[1], 15);
    futex(&words[0], FUTEX_WAKE_OP, 1, (void *)1, &words[1], FUTEX_OP(FUTEX_OP_ANDN, 3, FUTEX_OP_CMP_EQ, 0));
    CHECK_EQ(words[1], 12);
    futex(&words[0], FUTEX_WAKE_OP, 1, (void *)1, &words[1], FUTEX_OP(FUTEX_OP_XOR, 5, FUTEX_OP_CMP_EQ, 0));
    CHECK_EQ(words[1], 9);
    waiter a;
    start(&a, &words[1], FUTEX_WAIT, 0);
    sleep_ms(20);
    int woken = 0;
    for (int tries = 0; !woken && tries < 1000; tries++) {
        words[1] = 9;
        woken = futex(&words[0], FUTEX_WAKE_OP, 1, (void *)1, &words[1], FUTEX_OP(FUTEX_OP_SET, 1, FUTEX_OP_CMP_EQ, 9));
        sleep_ms(1);
    }
    CHECK_EQ(woken, 1);
    CHECK_EQ(pthread_join(a.thread, NULL), 0);
}

CASE(shared_words_wake_across_processes)
{
    int *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(futex(word, FUTEX_WAIT, 0, &(struct timespec){ 10, 0 }, NULL, 0), 0);
        _exit(0);
    }
    wake(word, FUTEX_WAKE, 0, 1);
    CHECK_CHILD(pid);
}

CASE(files_mapped_twice_are_one_word)
{
    int fd = open("f", O_RDWR | O_CREAT, 0600);
    CHECK_EQ(ftruncate(fd, 8192), 0);
    int *a = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 4096);
    int *b = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    waiter w;
    start(&w, a + 10, FUTEX_WAIT, 0);
    wake(b + 1024 + 10, FUTEX_WAKE, 0, 1);
    CHECK_EQ(pthread_join(w.thread, NULL), 0);
}

CASE(private_words_are_apart_after_fork)
{
    static int word;
    waiter w;
    start(&w, &word, FUTEX_WAIT, 0);
    sleep_ms(10);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(futex(&word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0), 0);
        _exit(0);
    }
    CHECK_CHILD(pid);
    wake(&word, FUTEX_WAKE, 0, 1);
    CHECK_EQ(pthread_join(w.thread, NULL), 0);
}

static void on_alarm(int signal)
{
}

CASE(interrupted_wait_is_eintr_or_restarts)
{
    int word = 0;
    struct sigaction action = { .sa_handler = on_alarm };
    CHECK_EQ(sigaction(SIGALRM, &action, NULL), 0);
    ualarm(20000, 0);
    CHECK_ERRNO(futex(&word, FUTEX_WAIT, 0, NULL, NULL, 0), EINTR);
    action.sa_flags = SA_RESTART;
    CHECK_EQ(sigaction(SIGALRM, &action, NULL), 0);
    ualarm(20000, 0);
    int64_t before = monotonic_ns();
    CHECK_ERRNO(futex(&word, FUTEX_WAIT, 0, &(struct timespec){ 0, 80000000 }, NULL, 0), EINTR);
    (void)before;
}

CASE(tid_is_cleared_and_woken_at_exit)
{
    pthread_t thread;
    int word = 0;
    waiter w = { .word = &word, .operation = FUTEX_WAIT, .value = 1 };
    CHECK_EQ(pthread_create(&thread, NULL, wait_thread, &w), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK(w.result == -1 && w.error == EAGAIN);
}

static pthread_mutex_t *robust;

static void *lock_and_die(void *argument)
{
    pthread_mutex_lock(robust);
    return NULL;
}

CASE(robust_mutex_of_a_dead_thread)
{
    static pthread_mutex_t mutex;
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    CHECK_EQ(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST), 0);
    CHECK_EQ(pthread_mutex_init(&mutex, &attributes), 0);
    robust = &mutex;
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, lock_and_die, NULL), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(pthread_mutex_lock(&mutex), EOWNERDEAD);
    CHECK_EQ(pthread_mutex_consistent(&mutex), 0);
    CHECK_EQ(pthread_mutex_unlock(&mutex), 0);
}

CASE(robust_mutex_of_a_killed_process)
{
    robust = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    CHECK_EQ(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST), 0);
    CHECK_EQ(pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED), 0);
    CHECK_EQ(pthread_mutex_init(robust, &attributes), 0);
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(pthread_mutex_lock(robust), 0);
        CHECK_EQ(write(fds[1], "x", 1), 1);
        pause();
    }
    char c;
    CHECK_EQ(read(fds[0], &c, 1), 1);
    CHECK_EQ(pthread_mutex_trylock(robust), EBUSY);
    CHECK_EQ(kill(pid, SIGKILL), 0);
    CHECK_EQ(pthread_mutex_lock(robust), EOWNERDEAD);
    CHECK_EQ(waitpid(pid, NULL, 0), pid);
}

CASE(robust_list_is_told)
{
    struct robust_list_head *head;
    size_t length;
    CHECK_EQ(syscall(SYS_get_robust_list, 0, &head, &length), 0);
    CHECK_EQ(length, sizeof *head);
    CHECK(head != NULL);
    CHECK_ERRNO(syscall(SYS_set_robust_list, head, 8), EINVAL);
    CHECK_ERRNO(syscall(SYS_get_robust_list, 999999, &head, &length), ESRCH);
}

GUEST_MAIN("futex")
