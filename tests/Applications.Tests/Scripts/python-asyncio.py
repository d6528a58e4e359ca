"""asyncio without a network: tasks, timers, subprocesses, pipes, unix streams, signals, threads."""
import asyncio, os, signal, socket

async def worker(n):
    await asyncio.sleep(0.001 * (n % 5)); return n

async def main():
    print(sum(await asyncio.gather(*(worker(i) for i in range(200)))))
    try:
        await asyncio.wait_for(asyncio.sleep(10), 0.05)
    except asyncio.TimeoutError:
        print("timeout")
    p = await asyncio.create_subprocess_exec("sh", "-c", "cat; exit 2", stdin=-1, stdout=-1); print(await p.communicate(b"through"), p.returncode)
    p = await asyncio.create_subprocess_shell("sleep 10"); p.kill(); print(await p.wait())
    async def echo(reader, writer):
        while data := await reader.read(1000):
            writer.write(data.upper()); await writer.drain()
        writer.close()
    server = await asyncio.start_unix_server(echo, "/tmp/echo.sock")
    async def client(i):
        reader, writer = await asyncio.open_unix_connection("/tmp/echo.sock"); writer.write(b"hello %d" % i); await writer.drain(); answer = await reader.read(100); writer.close(); return answer
    print(sorted(await asyncio.gather(*(client(i) for i in range(20))))[:2])
    server.close()
    loop, got = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGUSR1, got.set); os.kill(os.getpid(), signal.SIGUSR1); await asyncio.wait_for(got.wait(), 5); print("signal")
    print(await asyncio.to_thread(sum, range(1000)), await loop.run_in_executor(None, os.getpid) == os.getpid())
    a, b = socket.socketpair(); a.setblocking(False); b.setblocking(False); await loop.sock_sendall(a, b"pair"); print(await loop.sock_recv(b, 10))
    queue = asyncio.Queue(3)
    async def feed():
        for i in range(50): await queue.put(i)
    t = asyncio.create_task(feed()); print(sum([await queue.get() for _ in range(50)])); await t
    task = asyncio.create_task(asyncio.sleep(10)); task.cancel()
    try: await task
    except asyncio.CancelledError: print("cancelled")
    r, w = os.pipe(); got = asyncio.Event(); loop.add_reader(r, lambda: (os.read(r, 10), loop.remove_reader(r), got.set())); os.write(w, b"1"); await got.wait(); print("reader")

asyncio.run(main())
