"""subprocess, multiprocessing, os: pipes, timeouts, groups, pools, shared memory, locks."""
import concurrent.futures, multiprocessing as mp, os, signal, subprocess, sys, time

print(subprocess.run(["sh", "-c", "cat; echo err >&2; exit 4"], input="in\n", capture_output=True, text=True))
try:
    subprocess.run(["sleep", "10"], timeout=0.1)
except subprocess.TimeoutExpired as e:
    print("timeout", e.cmd)
p = subprocess.Popen(["sh", "-c", "kill -9 $$"]); print(p.wait())
p = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE); out, _ = p.communicate(b"x" * 1000000); print(len(out), p.returncode)
print(subprocess.check_output("echo $A; pwd; ulimit -n", shell=True, env={"A": "1", "PATH": os.environ["PATH"]}, cwd="/tmp", text=True).split())
try:
    subprocess.run(["/no/such"])
except FileNotFoundError as e:
    print(e.errno, e.filename)
p = subprocess.Popen(["sleep", "10"], start_new_session=True); print(os.getsid(p.pid) == p.pid); os.killpg(p.pid, signal.SIGTERM); print(p.wait())
print(subprocess.run(["sh", "-c", "echo $(( $(ls /proc/self/fd | wc -l) ))"], capture_output=True, text=True, close_fds=True).stdout.strip())
a = subprocess.Popen(["seq", "100000"], stdout=subprocess.PIPE); b = subprocess.Popen(["tail", "-1"], stdin=a.stdout, stdout=subprocess.PIPE); a.stdout.close(); print(b.communicate()[0], a.wait())

def square(x): return x * x
def bump(counter, n):
    for _ in range(n):
        with counter.get_lock(): counter.value += 1
def serve(connection):
    while (m := connection.recv()) != "end": connection.send(m * 2)

if __name__ == "__main__":
    with mp.get_context("fork").Pool(3) as pool:
        print(sum(pool.map(square, range(100))), pool.apply_async(square, (9,)).get(20))
    with concurrent.futures.ProcessPoolExecutor(2) as ex: print(sum(ex.map(square, range(50))))
    with concurrent.futures.ThreadPoolExecutor(4) as ex: print(sorted(f.result() for f in concurrent.futures.as_completed([ex.submit(square, i) for i in range(10)])))
    counter = mp.Value("i", 0); ps = [mp.Process(target=bump, args=(counter, 200)) for _ in range(3)]; [p.start() for p in ps]; [p.join() for p in ps]; print(counter.value, [p.exitcode for p in ps])
    here, there = mp.Pipe(); p = mp.Process(target=serve, args=(there,)); p.start(); here.send("ab"); print(here.recv()); here.send([1]); print(here.recv()); here.send("end"); p.join()
    q = mp.Queue(); p = mp.Process(target=lambda: [q.put(i) for i in range(100)]); p.start(); print(sum(q.get() for _ in range(100))); p.join()
    from multiprocessing import shared_memory
    m = shared_memory.SharedMemory(create=True, size=8192); p = mp.Process(target=lambda: m.buf.__setitem__(slice(0, 5), b"child")); p.start(); p.join(); print(bytes(m.buf[:5]), os.path.exists("/dev/shm/" + m.name)); m.close(); m.unlink()
    p = mp.Process(target=time.sleep, args=(60,)); p.start(); p.terminate(); p.join(); print(p.exitcode)
    sp = mp.get_context("spawn").Process(target=square, args=(3,)); sp.start(); sp.join(); print(sp.exitcode)
    r, w = os.pipe(); pid = os.fork()
    if pid == 0: os.close(r); os.write(w, b"raw"); os._exit(3)
    os.close(w); print(os.read(r, 10), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    pid = os.posix_spawn("/bin/sh", ["sh", "-c", "exit 6"], os.environ); print(os.waitid(os.P_PID, pid, os.WEXITED).si_status)
    pid = os.fork()
    if pid == 0: sum(range(2000000)); os._exit(0)
    _, _, usage = os.wait4(pid, 0); print(usage.ru_utime + usage.ru_stime > 0, usage.ru_maxrss > 1000, usage.ru_minflt > 0)
    sys.stdout.flush(); os.execv("/bin/echo", ["echo", "executed"])
