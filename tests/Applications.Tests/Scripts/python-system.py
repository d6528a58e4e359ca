"""The modules that stand directly on the kernel: select, signal, mmap, fcntl, ctypes, tempfile, shutil, sqlite3, resource, time, socket, pwd, os."""
import array, ctypes, errno, fcntl, json, mmap, os, pwd, resource, select, shutil, signal, socket, sqlite3, stat, struct, tempfile, threading, time

r, w = os.pipe(); print(select.select([r], [w], [], 0)[1] == [w]); os.write(w, b"abc")
p = select.poll(); p.register(r, select.POLLIN); print(p.poll(0) == [(r, select.POLLIN)]); e = select.epoll(); e.register(r, select.EPOLLIN | select.EPOLLET); print(len(e.poll(1)), len(e.poll(0)))
n = array.array("i", [0]); fcntl.ioctl(r, 0x541B, n); print(n[0]); print(fcntl.fcntl(r, fcntl.F_GETFD), fcntl.fcntl(w, fcntl.F_GETFL) & os.O_ACCMODE); os.set_blocking(r, False); os.read(r, 10)
try: os.read(r, 1)
except BlockingIOError as x: print(errno.errorcode[x.errno])
print(fcntl.fcntl(w, 1032), fcntl.fcntl(w, 1031, 8192))
seen = []; signal.signal(signal.SIGALRM, lambda s, f: seen.append(s)); signal.setitimer(signal.ITIMER_REAL, 0.02); time.sleep(0.3) if not seen else None; print(seen == [signal.SIGALRM])
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2]); os.kill(os.getpid(), signal.SIGUSR2); print(signal.sigpending() == {signal.SIGUSR2}, signal.sigtimedwait([signal.SIGUSR2], 1).si_pid == os.getpid(), signal.sigtimedwait([signal.SIGUSR2], 0))
m = mmap.mmap(-1, 1 << 20); m[100:105] = b"hello"; print(m.find(b"hello"), len(m)); m.resize(2 << 20); print(len(m), m[100:105]); m.close()
with tempfile.TemporaryFile() as f:
    f.truncate(10000); m = mmap.mmap(f.fileno(), 0); m[9000:9004] = b"file"; m.flush(); f.seek(9000); print(f.read(4)); m.close()
with tempfile.NamedTemporaryFile() as f:
    fcntl.lockf(f, fcntl.LOCK_EX); pid = os.fork()
    if pid == 0:
        try: fcntl.lockf(os.open(f.name, os.O_RDWR), fcntl.LOCK_EX | fcntl.LOCK_NB); os._exit(1)
        except OSError as x: os._exit(x.errno)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == errno.EAGAIN); fcntl.flock(f, fcntl.LOCK_SH | fcntl.LOCK_NB); print(stat.filemode(os.stat(f.name).st_mode))
libc = ctypes.CDLL(None, use_errno=True); print(libc.abs(-5), ctypes.sizeof(ctypes.c_long)); compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))(lambda a, b: a[0] - b[0]); values = (ctypes.c_int * 5)(5, 2, 4, 1, 3); libc.qsort(values, 5, 4, compare); print(list(values)); print(libc.close(999), ctypes.get_errno() == errno.EBADF)
d = tempfile.mkdtemp(); shutil.copytree("/usr/lib/python3.11/json", d + "/j"); print(len(os.listdir(d + "/j")) > 4); shutil.make_archive(d + "/a", "gztar", d + "/j"); shutil.unpack_archive(d + "/a.tar.gz", d + "/u"); print(sorted(os.listdir(d + "/u")) == sorted(os.listdir(d + "/j"))); shutil.move(d + "/u", d + "/v"); print(sorted(os.listdir(d))); shutil.rmtree(d); print(os.path.exists(d), shutil.disk_usage("/tmp").total > 0, shutil.which("sh"))
db = sqlite3.connect("/tmp/p.db"); db.execute("create table t(a, b)"); db.executemany("insert into t values(?, ?)", [(i, str(i)) for i in range(1000)]); db.commit(); print(db.execute("select sum(a) from t").fetchone(), db.execute("pragma integrity_check").fetchone())
try:
    with db: db.execute("delete from t"); raise ValueError
except ValueError: print(db.execute("select count(*) from t").fetchone())
print(resource.getrlimit(resource.RLIMIT_NOFILE)); u = resource.getrusage(resource.RUSAGE_SELF); print(u.ru_maxrss > 1000, u.ru_utime + u.ru_stime > 0, u.ru_minflt > 0); resource.setrlimit(resource.RLIMIT_NOFILE, (64, 1024))
try: fds = [os.open("/dev/null", 0) for _ in range(100)]
except OSError as x: print(errno.errorcode[x.errno])
resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024)); t = time.monotonic(); time.sleep(0.02); print(0.02 <= time.monotonic() - t < 5, abs(time.time() - time.clock_gettime(time.CLOCK_REALTIME)) < 1, time.get_clock_info("monotonic").resolution)
a, b = socket.socketpair(); fd = os.open("/etc/hostname", 0); socket.send_fds(a, [b"x"], [fd]); _, fds, _, _ = socket.recv_fds(b, 10, 1); print(os.fstat(fds[0]).st_ino == os.fstat(fd).st_ino)
print(pwd.getpwuid(0).pw_name, os.getgroups(), os.uname().nodename, os.cpu_count() == len(os.sched_getaffinity(0)), os.getloadavg()[0] >= 0); print(json.dumps({"a": [1, None, 2.5]}), os.get_terminal_size.__name__, os.isatty(0)); print(os.sysconf("SC_PAGESIZE"), os.sysconf("SC_NPROCESSORS_ONLN") == os.cpu_count(), os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PHYS_PAGES") > 0, os.confstr("CS_PATH"))
os.chdir("/tmp"); os.mkdir("walk"); [os.makedirs(f"walk/{i}/{j}") for i in range(3) for j in range(3)]; print(sum(len(x[1]) for x in os.walk("walk")), len(list(os.scandir("walk")))); os.symlink("walk", "link"); os.link("p.db", "hard"); print(os.stat("hard").st_nlink, os.readlink("link"), os.path.samefile("hard", "p.db")); os.utime("hard", ns=(1, 10**18 + 7)); print(os.stat("p.db").st_mtime_ns); os.setxattr("hard", "user.k", b"v") if False else None; print(os.sendfile(os.open("sf", os.O_RDWR | os.O_CREAT), os.open("p.db", 0), 0, 1000)); os.chmod("sf", 0o640); print(oct(os.stat("sf").st_mode)); os.truncate("sf", 5); print(os.path.getsize("sf")); print(os.statvfs("/tmp").f_bsize, os.access("/etc/shadow", os.W_OK)); f = os.memfd_create("m"); os.write(f, b"mem"); print(os.pread(f, 10, 0), os.readlink(f"/proc/self/fd/{f}")); print(len(os.urandom(16)), os.getrandom(8) != os.getrandom(8)); os.nice(1); print(os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0)); print(sorted(os.listdir(f"/proc/{os.getpid()}/task")) == [str(os.getpid())])
try: socket.socket(socket.AF_INET, socket.SOCK_STREAM).bind(("127.0.0.1", 0))
except OSError as x: pass
print(threading.get_native_id() == os.getpid(), "end")
