// Threads as the C library makes them: pthreads(7), thread-local storage, cancellation, and what threads of a process share
#include "guest.h"
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/prctl.h>

static __thread int local = 5;
static volatile int counter;

static void *returns(void *argument)
{
    return argument;
}

static void *join(pthread_t thread)
{
    void *result;
    CHECK_EQ(pthread_join(thread, &result), 0);
    return result;
}

static pthread_t start(void *(*run)(void *), void *argument)
{
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, run, argument), 0);
    return thread;
}

CASE(join_gives_the_result)
{
    CHECK(join(start(returns, (void *)77)) == (void *)77);
}

static void *own_ids(void *argument)
{
    long *ids = argument;
    ids[0] = getpid();
    ids[1] = syscall(SYS_gettid);
    ids[2] = getppid();
    return NULL;
}

CASE(threads_share_the_process_id)
{
    long ids[3];
    join(start(own_ids, ids));
    CHECK_EQ(ids[0], getpid());
    CHECK(ids[1] != getpid());
    CHECK_EQ(ids[2], getppid());
}

static void *change_local(void *argument)
{
    CHECK_EQ(local, 5);
    local = 9;
    return NULL;
}

CASE(local_variables_are_each_threads_own)
{
    local = 6;
    join(start(change_local, NULL));
    CHECK_EQ(local, 6);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void *add(void *argument)
{
    for (int i = 0; i < 500; i++) {
        pthread_mutex_lock(&mutex);
        counter = counter + 1;
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

CASE(mutex_excludes)
{
    pthread_t threads[8];
    for (int i = 0; i < 8; i++) {
        threads[i] = start(add, NULL);
    }
    for (int i = 0; i < 8; i++) {
        join(threads[i]);
    }
    CHECK_EQ(counter, 4000);
}

static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;

static void *await(void *argument)
{
    pthread_mutex_lock(&mutex);
    counter++;
    pthread_cond_broadcast(&condition);
    while (counter < 100) {
        pthread_cond_wait(&condition, &mutex);
    }
    pthread_mutex_unlock(&mutex);
    return (void *)1;
}

CASE(condition_wakes_all)
{
    pthread_t threads[5];
    for (int i = 0; i < 5; i++) {
        threads[i] = start(await, NULL);
    }
    pthread_mutex_lock(&mutex);
    while (counter < 5) {
        pthread_cond_wait(&condition, &mutex);
    }
    counter = 100;
    pthread_cond_broadcast(&condition);
    pthread_mutex_unlock(&mutex);
    for (int i = 0; i < 5; i++) {
        CHECK(join(threads[i]) == (void *)1);
    }
}

CASE(timed_waits_time_out)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    pthread_mutex_lock(&mutex);
    CHECK_EQ(pthread_cond_timedwait(&condition, &mutex, &time), ETIMEDOUT);
    sem_t semaphore;
    CHECK_EQ(sem_init(&semaphore, 0, 0), 0);
    CHECK_ERRNO(sem_timedwait(&semaphore, &time), ETIMEDOUT);
    CHECK_ERRNO(sem_trywait(&semaphore), EAGAIN);
}

static pthread_barrier_t barrier;

static void *meet(void *argument)
{
    return (void *)(long)(pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD);
}

CASE(barrier_has_one_serial_thread)
{
    CHECK_EQ(pthread_barrier_init(&barrier, NULL, 4), 0);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        threads[i] = start(meet, NULL);
    }
    long serial = 0;
    for (int i = 0; i < 4; i++) {
        serial += (long)join(threads[i]);
    }
    CHECK_EQ(serial, 1);
}

static void *read_pipe(void *argument)
{
    char c;
    return (void *)read(*(int *)argument, &c, 1);
}

CASE(cancellation_ends_a_blocked_read)
{
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    pthread_t thread = start(read_pipe, &fds[0]);
    sleep_ms(10);
    CHECK_EQ(pthread_cancel(thread), 0);
    CHECK(join(thread) == PTHREAD_CANCELED);
}

static void on_exit_of_thread(void *argument)
{
    counter += *(int *)argument;
}

static void *with_key(void *argument)
{
    static int value = 21;
    pthread_setspecific(*(pthread_key_t *)argument, &value);
    return NULL;
}

CASE(destructors_of_keys_run)
{
    pthread_key_t key;
    CHECK_EQ(pthread_key_create(&key, on_exit_of_thread), 0);
    join(start(with_key, &key));
    CHECK_EQ(counter, 21);
}

CASE(many_threads_one_after_another)
{
    for (int i = 0; i < 100; i++) {
        CHECK(join(start(returns, (void *)(long)i)) == (void *)(long)i);
    }
}

CASE(many_threads_at_once)
{
    pthread_t threads[60];
    CHECK_EQ(pthread_barrier_init(&barrier, NULL, 60), 0);
    for (int i = 0; i < 60; i++) {
        threads[i] = start(meet, NULL);
    }
    for (int i = 0; i < 60; i++) {
        join(threads[i]);
    }
}

static void *fork_inside(void *argument)
{
    pid_t pid = fork();
    if (pid == 0) {
        _exit(getpid() == syscall(SYS_gettid) ? 0 : 1);
    }
    CHECK_CHILD(pid);
    return NULL;
}

CASE(fork_in_a_thread_copies_that_thread_only)
{
    join(start(fork_inside, NULL));
}

static void *exec_inside(void *argument)
{
    execl("/bin/sh", "sh", "-c", "test $$ = $PPID_OF_TEST && exit 3; exit 4", NULL);
    return NULL;
}

CASE(exec_in_a_thread_takes_the_process)
{
    pid_t pid = fork();
    if (pid == 0) {
        char text[16];
        snprintf(text, sizeof text, "%d", getpid());
        setenv("PPID_OF_TEST", text, 1);
        start(exec_inside, NULL);
        while (1) {
            pause();
        }
    }
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 3 << 8);
}

static void *exit_inside(void *argument)
{
    exit(6);
}

CASE(exit_in_a_thread_ends_the_process)
{
    pid_t pid = fork();
    if (pid == 0) {
        start(exit_inside, NULL);
        while (1) {
            pause();
        }
    }
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 6 << 8);
}

static void *fault_inside(void *argument)
{
    *(volatile char *)BAD_POINTER = 1;
    return NULL;
}

CASE(fault_in_a_thread_ends_the_process)
{
    pid_t pid = fork();
    if (pid == 0) {
        start(fault_inside, NULL);
        while (1) {
            pause();
        }
    }
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status & 0x7f, SIGSEGV);
}

static void *close_file(void *argument)
{
    close(*(int *)argument);
    umask(012);
    return (void *)(long)chdir("/");
}

CASE(files_directory_and_umask_are_shared)
{
    int fd = open("/dev/null", O_RDONLY);
    join(start(close_file, &fd));
    CHECK_ERRNO(fcntl(fd, F_GETFD), EBADF);
    CHECK_EQ(umask(0), 012);
    char here[16];
    CHECK(getcwd(here, sizeof here) != NULL && strcmp(here, "/") == 0);
}

static void *list_mask(void *argument)
{
    sigset_t set;
    sigfillset(&set);
    pthread_sigmask(SIG_SETMASK, &set, NULL);
    return NULL;
}

CASE(masks_are_each_threads_own)
{
    join(start(list_mask, NULL));
    sigset_t set;
    sigprocmask(SIG_SETMASK, NULL, &set);
    CHECK(!sigismember(&set, SIGTERM));
}

static volatile long handled_by;

static void on_signal(int signal)
{
    handled_by = syscall(SYS_gettid);
}

static void *spin(void *argument)
{
    *(volatile long *)argument = syscall(SYS_gettid);
    while (!handled_by) {
        sleep_ms(1);
    }
    return NULL;
}

CASE(pthread_kill_reaches_its_thread)
{
    struct sigaction action = { .sa_handler = on_signal };
    CHECK_EQ(sigaction(SIGUSR1, &action, NULL), 0);
    volatile long tid = 0;
    pthread_t thread = start(spin, (void *)&tid);
    while (!tid) {
        sleep_ms(1);
    }
    CHECK_EQ(pthread_kill(thread, SIGUSR1), 0);
    join(thread);
    CHECK_EQ(handled_by, tid);
}

static void *name_thread(void *argument)
{
    CHECK_EQ(prctl(PR_SET_NAME, "worker"), 0);
    char path[64], line[32] = "";
    snprintf(path, sizeof path, "/proc/self/task/%ld/comm", syscall(SYS_gettid));
    FILE *file = fopen(path, "r");
    CHECK(file != NULL && fgets(line, sizeof line, file) != NULL);
    CHECK(strcmp(line, "worker\n") == 0);
    fclose(file);
    return NULL;
}

CASE(names_are_each_threads_own)
{
    join(start(name_thread, NULL));
    char name[16];
    CHECK_EQ(prctl(PR_GET_NAME, name), 0);
    CHECK(strcmp(name, "worker") != 0);
}

static void *big_frame(void *argument)
{
    volatile char frame[200 << 10];
    for (size_t i = 0; i < sizeof frame; i += 1024) {
        frame[i] = 1;
    }
    return (void *)(long)frame[1024];
}

CASE(stack_size_is_respected)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    CHECK_EQ(pthread_attr_setstacksize(&attributes, 256 << 10), 0);
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, &attributes, big_frame, NULL), 0);
    CHECK(join(thread) == (void *)1);
}

static void *wait_forever(void *argument)
{
    while (1) {
        pause();
    }
    return NULL;
}

CASE(detached_threads_do_not_hold_the_process)
{
    pid_t pid = fork();
    if (pid == 0) {
        pthread_detach(start(wait_forever, NULL));
        _exit(2);
    }
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 2 << 8);
}

CASE(stop_stops_all_threads)
{
    pid_t pid = fork();
    if (pid == 0) {
        start(wait_forever, NULL);
        raise(SIGSTOP);
        _exit(7);
    }
    int status;
    CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
    CHECK(WIFSTOPPED(status));
    CHECK_EQ(kill(pid, SIGCONT), 0);
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 7 << 8);
}

CASE(readers_and_writers)
{
    pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
    CHECK_EQ(pthread_rwlock_rdlock(&lock), 0);
    CHECK_EQ(pthread_rwlock_tryrdlock(&lock), 0);
    CHECK_EQ(pthread_rwlock_trywrlock(&lock), EBUSY);
    CHECK_EQ(pthread_rwlock_unlock(&lock), 0);
    CHECK_EQ(pthread_rwlock_unlock(&lock), 0);
    CHECK_EQ(pthread_rwlock_trywrlock(&lock), 0);
}

GUEST_MAIN("threads")
