// System V shared memory, semaphores and message queues: svipc(7)
#include "guest.h"
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

union semun {
    int val;
    struct semid_ds *buf;
    unsigned short *array;
};

static key_t unused_key(int kind)
{
    return 0x4d000000 + kind * 0x100000 + getpid();
}

CASE(shm_private_segment_is_zero_and_shared_by_fork)
{
    int id = shmget(IPC_PRIVATE, 10000, IPC_CREAT | 0600);
    CHECK(id >= 0);
    volatile char *memory = shmat(id, NULL, 0);
    CHECK(memory != (void *)-1);
    CHECK_EQ(memory[9999], 0);
    pid_t pid = fork();
    if (pid == 0) {
        memory[9999] = 'x';
        _exit(0);
    }
    CHECK_CHILD(pid);
    CHECK_EQ(memory[9999], 'x');
    CHECK_EQ(shmdt((void *)memory), 0);
    CHECK_ERRNO(shmdt((void *)memory), EINVAL);
    CHECK_EQ(shmctl(id, IPC_RMID, NULL), 0);
    CHECK(shmat(id, NULL, 0) == (void *)-1);
}

CASE(shm_by_key)
{
    key_t key = unused_key(1);
    CHECK_ERRNO(shmget(key, 4096, 0600), ENOENT);
    int id = shmget(key, 4096, IPC_CREAT | IPC_EXCL | 0600);
    CHECK(id >= 0);
    CHECK_EQ(shmget(key, 0, 0), id);
    CHECK_EQ(shmget(key, 4096, IPC_CREAT | 0600), id);
    CHECK_ERRNO(shmget(key, 4096, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
    CHECK_ERRNO(shmget(key, 8192, 0600), EINVAL);
    CHECK_EQ(shmctl(id, IPC_RMID, NULL), 0);
    CHECK_ERRNO(shmget(key, 4096, 0600), ENOENT);
    CHECK_ERRNO(shmget(key, 0, IPC_CREAT | 0600), EINVAL);
}

CASE(shm_stat)
{
    int id = shmget(IPC_PRIVATE, 5000, IPC_CREAT | 0640);
    struct shmid_ds info;
    CHECK_EQ(shmctl(id, IPC_STAT, &info), 0);
    CHECK_EQ(info.shm_segsz, 5000);
    CHECK_EQ(info.shm_nattch, 0);
    CHECK_EQ(info.shm_cpid, getpid());
    CHECK_EQ(info.shm_perm.mode, 0640);
    CHECK_EQ(info.shm_atime, 0);
    void *first = shmat(id, NULL, 0), *second = shmat(id, NULL, SHM_RDONLY);
    CHECK(first != second);
    CHECK_EQ(shmctl(id, IPC_STAT, &info), 0);
    CHECK_EQ(info.shm_nattch, 2);
    CHECK(info.shm_atime > 0);
    CHECK_EQ(info.shm_lpid, getpid());
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(shmctl(id, IPC_STAT, &info), 0);
        CHECK_EQ(info.shm_nattch, 4);
        _exit(0);
    }
    CHECK_CHILD(pid);
    CHECK_EQ(shmctl(id, IPC_STAT, &info), 0);
    CHECK_EQ(info.shm_nattch, 2);
    CHECK_EQ(shmctl(id, IPC_RMID, NULL), 0);
    CHECK_EQ(shmctl(id, IPC_STAT, &info), 0);
    CHECK_EQ(info.shm_perm.mode, 0640 | SHM_DEST);
    shmdt(first);
    shmdt(second);
    CHECK_ERRNO(shmctl(id, IPC_STAT, &info), EINVAL);
}

CASE(shm_read_only)
{
    int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
    char *memory = shmat(id, NULL, SHM_RDONLY);
    pid_t pid = fork();
    if (pid == 0) {
        memory[0] = 1;
        _exit(0);
    }
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status & 0x7f, SIGSEGV);
    CHECK_ERRNO(mprotect(memory, 4096, PROT_READ | PROT_WRITE), EACCES);
    shmctl(id, IPC_RMID, NULL);
}

CASE(shm_at_an_address)
{
    int id = shmget(IPC_PRIVATE, 8192, IPC_CREAT | 0600);
    char *place = mmap(NULL, 65536, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(shmat(id, place, 0) == (void *)-1);
    CHECK(shmat(id, place + 5, SHM_REMAP) == (void *)-1);
    CHECK(shmat(id, place + 5, SHM_REMAP | SHM_RND) == place);
    munmap(place + 16384, 4096 * 4);
    CHECK(shmat(id, place + 16384, 0) == place + 16384);
    CHECK(shmat(id, NULL, SHM_REMAP) == (void *)-1);
    place[0] = 7;
    CHECK_EQ(place[16384], 7);
    CHECK_ERRNO(shmdt(place + 4096), EINVAL);
    CHECK_EQ(munmap(place, 4096), 0);
    CHECK_EQ(shmdt(place + 16384), 0);
    shmctl(id, IPC_RMID, NULL);
}

CASE(shm_permissions)
{
    int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600), open = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0604);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(setgid(1000), 0);
        CHECK_EQ(setuid(1000), 0);
        struct shmid_ds info;
        CHECK(shmat(id, NULL, 0) == (void *)-1);
        CHECK_EQ(errno, EACCES);
        CHECK_ERRNO(shmctl(id, IPC_STAT, &info), EACCES);
        CHECK_ERRNO(shmctl(id, IPC_RMID, NULL), EPERM);
        CHECK(shmat(open, NULL, SHM_RDONLY) != (void *)-1);
        CHECK(shmat(open, NULL, 0) == (void *)-1);
        _exit(0);
    }
    int status;
    waitpid(pid, &status, 0);
    shmctl(id, IPC_RMID, NULL);
    shmctl(open, IPC_RMID, NULL);
    CHECK_EQ(status & 0x7f, 0);
}

CASE(shm_errors)
{
    struct shmid_ds info;
    CHECK_ERRNO(shmctl(-1, IPC_STAT, &info), EINVAL);
    CHECK_ERRNO(shmctl(0x7ffffff0, IPC_STAT, &info), EINVAL);
    int id = shmget(IPC_PRIVATE, 4096, 0600);
    CHECK_ERRNO(shmctl(id, 77, &info), EINVAL);
    CHECK_ERRNO(syscall(SYS_shmctl, id, IPC_STAT, BAD_POINTER), EFAULT);
    CHECK_EQ(shmctl(id, IPC_RMID, NULL), 0);
    CHECK_ERRNO(shmdt((void *)0x1001), EINVAL);
}

CASE(sem_set_and_get)
{
    int id = semget(IPC_PRIVATE, 3, IPC_CREAT | 0600);
    CHECK(id >= 0);
    CHECK_EQ(semctl(id, 1, SETVAL, (union semun){ .val = 5 }), 0);
    CHECK_EQ(semctl(id, 1, GETVAL), 5);
    CHECK_EQ(semctl(id, 1, GETPID), getpid());
    unsigned short values[3] = { 1, 2, 3 }, got[3];
    CHECK_EQ(semctl(id, 0, SETALL, (union semun){ .array = values }), 0);
    CHECK_EQ(semctl(id, 0, GETALL, (union semun){ .array = got }), 0);
    CHECK(memcmp(values, got, sizeof got) == 0);
    struct semid_ds info;
    CHECK_EQ(semctl(id, 0, IPC_STAT, (union semun){ .buf = &info }), 0);
    CHECK_EQ(info.sem_nsems, 3);
    CHECK_EQ(info.sem_perm.mode, 0600);
    CHECK_ERRNO(semctl(id, 3, GETVAL), EINVAL);
    CHECK_ERRNO(semctl(id, 0, SETVAL, (union semun){ .val = 32768 }), ERANGE);
    CHECK_ERRNO(semctl(id, 0, SETVAL, (union semun){ .val = -1 }), ERANGE);
    CHECK_EQ(semctl(id, 0, IPC_RMID), 0);
    CHECK_ERRNO(semctl(id, 0, GETVAL), EINVAL);
}

CASE(sem_operations_are_one)
{
    int id = semget(IPC_PRIVATE, 2, IPC_CREAT | 0600);
    struct sembuf up[2] = { { 0, 2, 0 }, { 1, 1, 0 } }, down[2] = { { 0, -1, IPC_NOWAIT }, { 1, -2, IPC_NOWAIT } };
    CHECK_EQ(semop(id, up, 2), 0);
    CHECK_ERRNO(semop(id, down, 2), EAGAIN);
    CHECK_EQ(semctl(id, 0, GETVAL), 2);
    CHECK_EQ(semctl(id, 1, GETVAL), 1);
    struct sembuf zero = { 0, 0, IPC_NOWAIT };
    CHECK_ERRNO(semop(id, &zero, 1), EAGAIN);
    struct sembuf big = { 0, 32767, 0 };
    CHECK_ERRNO(semop(id, &big, 1), ERANGE);
    struct sembuf wrong = { 2, 1, 0 };
    CHECK_ERRNO(semop(id, &wrong, 1), EFBIG);
    CHECK_ERRNO(semop(id, up, 0), EINVAL);
    CHECK_ERRNO(semop(id, up, 501), E2BIG);
    CHECK_ERRNO(syscall(SYS_semop, id, BAD_POINTER, 1), EFAULT);
    semctl(id, 0, IPC_RMID);
}

CASE(sem_waits)
{
    int id = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);
    pid_t pid = fork();
    if (pid == 0) {
        while (semctl(id, 0, GETNCNT) == 0) {
            sleep_ms(1);
        }
        struct sembuf up = { 0, 1, 0 };
        CHECK_EQ(semop(id, &up, 1), 0);
        _exit(0);
    }
    struct sembuf down = { 0, -1, 0 };
    CHECK_EQ(semop(id, &down, 1), 0);
    CHECK_CHILD(pid);
    CHECK_EQ(semctl(id, 0, GETNCNT), 0);
    semctl(id, 0, IPC_RMID);
}

CASE(sem_removal_wakes)
{
    int id = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);
    pid_t pid = fork();
    if (pid == 0) {
        struct sembuf down = { 0, -1, 0 };
        CHECK_ERRNO(semop(id, &down, 1), EIDRM);
        _exit(0);
    }
    while (semctl(id, 0, GETNCNT) == 0) {
        sleep_ms(1);
    }
    CHECK_EQ(semctl(id, 0, IPC_RMID), 0);
    CHECK_CHILD(pid);
}

CASE(sem_timeout)
{
    int id = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);
    struct sembuf down = { 0, -1, 0 };
    struct timespec time = { 0, 10000000 }, bad = { 0, 1000000000 };
    CHECK_ERRNO(semtimedop(id, &down, 1, &time), EAGAIN);
    CHECK_ERRNO(semtimedop(id, &down, 1, &bad), EINVAL);
    semctl(id, 0, IPC_RMID);
}

CASE(sem_undo)
{
    int id = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);
    CHECK_EQ(semctl(id, 0, SETVAL, (union semun){ .val = 3 }), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct sembuf down = { 0, -2, SEM_UNDO };
        CHECK_EQ(semop(id, &down, 1), 0);
        CHECK_EQ(semctl(id, 0, GETVAL), 1);
        _exit(0);
    }
    CHECK_CHILD(pid);
    CHECK_EQ(semctl(id, 0, GETVAL), 3);
    semctl(id, 0, IPC_RMID);
}

CASE(sem_errors)
{
    CHECK_ERRNO(semget(IPC_PRIVATE, 0, 0600), EINVAL);
    CHECK_ERRNO(semget(IPC_PRIVATE, -1, 0600), EINVAL);
    CHECK_ERRNO(semget(IPC_PRIVATE, 100000, 0600), EINVAL);
    key_t key = unused_key(2);
    CHECK_ERRNO(semget(key, 1, 0600), ENOENT);
    int id = semget(key, 2, IPC_CREAT | 0600);
    CHECK_EQ(semget(key, 0, 0), id);
    CHECK_ERRNO(semget(key, 3, 0), EINVAL);
    CHECK_ERRNO(semctl(id, 0, 77), EINVAL);
    CHECK_EQ(semctl(id, 0, IPC_RMID), 0);
}

struct message {
    long type;
    char text[16];
};

CASE(msg_types)
{
    int id = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
    struct message message = { 3, "three" };
    CHECK_EQ(msgsnd(id, &message, 6, 0), 0);
    message = (struct message){ 1, "one" };
    CHECK_EQ(msgsnd(id, &message, 4, 0), 0);
    message = (struct message){ 2, "two" };
    CHECK_EQ(msgsnd(id, &message, 4, 0), 0);
    CHECK_EQ(msgrcv(id, &message, 16, 2, 0), 4);
    CHECK(strcmp(message.text, "two") == 0);
    CHECK_EQ(msgrcv(id, &message, 16, -5, 0), 4);
    CHECK_EQ(message.type, 1);
    CHECK_ERRNO(msgrcv(id, &message, 16, 9, IPC_NOWAIT), ENOMSG);
    CHECK_ERRNO(msgrcv(id, &message, 2, 0, 0), E2BIG);
    CHECK_EQ(msgrcv(id, &message, 2, 0, MSG_NOERROR), 2);
    CHECK_EQ(message.type, 3);
    CHECK_ERRNO(msgrcv(id, &message, 16, 0, IPC_NOWAIT), ENOMSG);
    CHECK_EQ(msgctl(id, IPC_RMID, NULL), 0);
}

CASE(msg_stat_and_limits)
{
    int id = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
    static struct {
        long type;
        char text[8193];
    } message = { 1, "" };
    CHECK_ERRNO(msgsnd(id, &message, 8193, 0), EINVAL);
    CHECK_EQ(msgsnd(id, &message, 8192, 0), 0);
    CHECK_EQ(msgsnd(id, &message, 8192, 0), 0);
    CHECK_ERRNO(msgsnd(id, &message, 1, IPC_NOWAIT), EAGAIN);
    struct msqid_ds info;
    CHECK_EQ(msgctl(id, IPC_STAT, &info), 0);
    CHECK_EQ(info.msg_qnum, 2);
    CHECK_EQ(info.msg_qbytes, 16384);
    CHECK_EQ(info.msg_lspid, getpid());
    CHECK_EQ(info.msg_lrpid, 0);
    info.msg_qbytes = 100;
    CHECK_EQ(msgctl(id, IPC_SET, &info), 0);
    CHECK_EQ(msgctl(id, IPC_STAT, &info), 0);
    CHECK_EQ(info.msg_qbytes, 100);
    message.type = 0;
    CHECK_ERRNO(msgsnd(id, &message, 1, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_msgsnd, id, BAD_POINTER, 1, 0), EFAULT);
    CHECK_EQ(msgctl(id, IPC_RMID, NULL), 0);
    CHECK_ERRNO(msgctl(id, IPC_STAT, &info), EINVAL);
}

CASE(msg_namespace)
{
    struct msginfo info;
    CHECK(msgctl(0, IPC_INFO, (struct msqid_ds *)&info) >= 0);
    CHECK_EQ(info.msgpool, 512000);
    CHECK_EQ(info.msgmap, 16384);
    CHECK_EQ(info.msgmax, 8192);
    CHECK_EQ(info.msgmnb, 16384);
    CHECK_EQ(info.msgmni, 32000);
    CHECK_EQ(info.msgssz, 16);
    CHECK_EQ(info.msgtql, 16384);
    CHECK_EQ(info.msgseg, 65535);
    int id = msgget(IPC_PRIVATE, IPC_CREAT | 0200);
    struct message message = { 3, "three" };
    CHECK_EQ(msgsnd(id, &message, 6, 0), 0);
    int highest = msgctl(0, MSG_INFO, (struct msqid_ds *)&info);
    CHECK(highest >= 0);
    CHECK(info.msgpool >= 1);
    CHECK(info.msgmap >= 1);
    CHECK(info.msgtql >= 6);
    struct msqid_ds found;
    CHECK_EQ(msgctl(id % 32768, MSG_STAT, &found), id);
    CHECK_EQ(found.msg_qnum, 1);
    CHECK_EQ(msgctl(id % 32768, 13 /* MSG_STAT_ANY */, &found), id);
    CHECK_ERRNO(msgctl(32767, MSG_STAT, &found), EINVAL);
    CHECK_ERRNO(msgctl(-1, IPC_INFO, (struct msqid_ds *)&info), EINVAL);
    CHECK_ERRNO(msgctl(0, IPC_INFO, BAD_POINTER), EFAULT);
    CHECK_EQ(msgctl(id, IPC_RMID, NULL), 0);
}

CASE(sem_namespace)
{
    struct seminfo info;
    CHECK(semctl(0, 0, IPC_INFO, &info) >= 0);
    CHECK_EQ(info.semmap, 1024000000);
    CHECK_EQ(info.semmni, 32000);
    CHECK_EQ(info.semmns, 1024000000);
    CHECK_EQ(info.semmsl, 32000);
    CHECK_EQ(info.semopm, 500);
    CHECK_EQ(info.semume, 500);
    CHECK_EQ(info.semusz, 20);
    CHECK_EQ(info.semvmx, 32767);
    CHECK_EQ(info.semaem, 32767);
    int id = semget(IPC_PRIVATE, 3, IPC_CREAT | 0600);
    CHECK(semctl(0, 0, SEM_INFO, &info) >= 0);
    CHECK(info.semusz >= 1);
    CHECK(info.semaem >= 3);
    struct semid_ds found;
    CHECK_EQ(semctl(id % 32768, 0, SEM_STAT, &found), id);
    CHECK_EQ(found.sem_nsems, 3);
    CHECK_EQ(semctl(id % 32768, 0, 20 /* SEM_STAT_ANY */, &found), id);
    CHECK_ERRNO(semctl(32767, 0, SEM_STAT, &found), EINVAL);
    CHECK_ERRNO(semctl(0, 0, IPC_INFO, BAD_POINTER), EFAULT);
    CHECK_EQ(semctl(id, 0, IPC_RMID), 0);
}

CASE(msg_waits)
{
    int id = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
    pid_t pid = fork();
    if (pid == 0) {
        sleep_ms(10);
        struct message message = { 4, "hello" };
        CHECK_EQ(msgsnd(id, &message, 6, 0), 0);
        _exit(0);
    }
    struct message message;
    CHECK_EQ(msgrcv(id, &message, 16, 0, 0), 6);
    CHECK(strcmp(message.text, "hello") == 0);
    CHECK_CHILD(pid);
    pid = fork();
    if (pid == 0) {
        CHECK_ERRNO(msgrcv(id, &message, 16, 0, 0), EIDRM);
        _exit(0);
    }
    sleep_ms(20);
    CHECK_EQ(msgctl(id, IPC_RMID, NULL), 0);
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
}

GUEST_MAIN("sysvipc")
