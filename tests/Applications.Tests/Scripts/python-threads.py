"""threading: locks, conditions, events, barriers, queues, thread-local data, many threads."""
import queue, threading, time

total, lock, own = 0, threading.Lock(), threading.local()

def add():
    global total
    own.n = 0
    for _ in range(2000):
        with lock:
            total += 1
        own.n += 1
    assert own.n == 2000

threads = [threading.Thread(target=add) for _ in range(10)]
[t.start() for t in threads], [t.join() for t in threads]
print(total)
q, out = queue.Queue(10), []
def produce():
    for i in range(500):
        q.put(i)
    q.put(None)
p = threading.Thread(target=produce); p.start()
while (item := q.get()) is not None:
    out.append(item)
p.join(); print(sum(out), len(out))
barrier, passed = threading.Barrier(5), []
ts = [threading.Thread(target=lambda: passed.append(barrier.wait())) for _ in range(5)]
[t.start() for t in ts], [t.join() for t in ts]
print(sorted(passed))
event = threading.Event(); threading.Timer(0.05, event.set).start()
print(event.wait(10), event.is_set(), threading.Event().wait(0.01))
condition, ready = threading.Condition(), []
def waiter():
    with condition:
        condition.wait_for(lambda: len(ready) >= 3)
        ready.append("seen")
ws = [threading.Thread(target=waiter) for _ in range(3)]; [w.start() for w in ws]
for i in range(3):
    with condition:
        ready.append(i); condition.notify_all()
[w.join() for w in ws]; print(len(ready))
s = threading.BoundedSemaphore(2); peak = running = 0
def limited():
    global peak, running
    with s:
        with lock: running += 1; peak = max(peak, running)
        time.sleep(0.005)
        with lock: running -= 1
ls = [threading.Thread(target=limited) for _ in range(8)]; [t.start() for t in ls]; [t.join() for t in ls]; print(peak <= 2)
before = time.process_time(); x = sum(i * i for i in range(300000)); print(x, time.process_time() > before, time.thread_time() > 0)
