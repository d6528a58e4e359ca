using System.Runtime.InteropServices;
using Moat.Host;
using Moat.Host.Process;
using Moat.Linux;
using Moat.Platform.Systrap.Amd64;

namespace Moat.Platform.Systrap;

/// <summary>A stub process as its first thread, which carries out orders. One thread at a time uses it: the callers lock.</summary>
internal sealed class StubProcess
{
    /// <summary>How many orders fit on a page.</summary>
    public const int OrdersPerPage = (MemoryFile.PageSize - OrderPage.Orders) / StubOrders.OrderSize;

    private readonly SlotFile _orders;
    private readonly int _page;
    private readonly int _doneFd;
    private bool _isDead;
    private int _place = -1; // the processor it is bound to

    private StubProcess(SlotFile orders, int page, int doneFd)
    {
        _orders = orders;
        _page = page;
        _doneFd = doneFd;
        Span<ulong> words = orders.Words(page);
        words.Clear();
        words[OrderPage.DoneFd / sizeof(ulong)] = (ulong)doneFd;
    }

    /// <summary>The process; 0 until it is known.</summary>
    public int Pid { get; set; }

    /// <summary>Whether it carries out orders on the processor of who gives them, who waits for it: that costs a change of threads, where another processor has to be woken first.</summary>
    public bool Follows { get; set; } = true;

    /// <summary>Where its page of orders is in the file.</summary>
    public ulong PageOffset => _orders.OffsetOf(_page);

    /// <summary>Prepares what a process that is about to be made will need.</summary>
    public static Result<StubProcess> Prepare(SlotFile orders)
    {
        if (!orders.Allocate().TryGet(out int page, out Errno errno))
        {
            return errno;
        }

        if (!HostFile.CreateEventFd().TryGet(out int fd, out errno))
        {
            orders.Free(page);
            return errno;
        }

        return new StubProcess(orders, page, fd);
    }

    /// <summary>Gives all orders, and waits for each page of them.</summary>
    /// <returns>The error of the first that failed; the others have been carried out. ESRCH if the process is gone.</returns>
    public Errno CarryOut(StubOrders orders)
    {
        Errno first = Errno.None;
        for (int done = 0; done < orders.Count;)
        {
            done += Post(orders, done);
            Errno errno = Await().Errno;
            first = first == Errno.None ? errno : first;
        }

        return first;
    }

    /// <summary>Gives orders, as many as fit on the page, without waiting; returns how many. For a process that does not run yet they are its first.</summary>
    public int Post(StubOrders orders, int from)
    {
        Span<ulong> words = _orders.Words(_page);
        int count = orders.CopyTo(words.Slice(OrderPage.Orders / sizeof(ulong), OrdersPerPage * StubOrders.OrderSize / sizeof(ulong)), from);
        Span<int> header = MemoryMarshal.Cast<ulong, int>(words);
        header[OrderPage.Count / sizeof(int)] = count;
        Interlocked.Increment(ref header[OrderPage.Sequence / sizeof(int)]);
        if (Pid != 0)
        {
            if (Follows)
            {
                Follow();
            }

            HostFutex.Wake(_orders.AddressOf(_page) + OrderPage.Sequence, 1);
        }

        return count;
    }

    /// <summary>Waits for the end of the orders.</summary>
    /// <returns>The pid of a process that was to be made, else 0; the error of the first order that failed; ESRCH if the process is gone.</returns>
    public Result<int> Await()
    {
        const int LivenessMs = 1000;
        while (!_isDead)
        {
            if (HostFile.Poll(_doneFd, PollEvents.POLLIN, LivenessMs) == PollEvents.None)
            {
                IsAlive();
            }
            else if (TryAwait(out Result<int> report))
            {
                return report;
            }
        }

        return Errno.ESRCH;
    }

    /// <summary>Whether the orders have been carried out by now, and the report as above.</summary>
    public bool TryAwait(out Result<int> report)
    {
        Span<byte> value = stackalloc byte[sizeof(ulong)];
        bool isDone = !HostFile.Read(_doneFd, value).IsError;
        ulong code = BitConverter.ToUInt64(value);
        report = code <= 1 ? 0 : code < OrderPage.ProcessBias ? (Errno)(code - 1) : (int)(code - OrderPage.ProcessBias);
        return isDone;
    }

    /// <summary>Whether the process still runs. One that has ended is reaped.</summary>
    public bool IsAlive()
    {
        const int NoHang = 1;
        if (!_isDead && Pid != 0)
        {
            _isDead = WaitStatus.WaitFor(Pid, NoHang).Errno != Errno.EAGAIN;
        }

        return !_isDead;
    }

    /// <summary>Kills it.</summary>
    public void Kill()
    {
        if (!_isDead && Pid != 0)
        {
            HostCall.Invoke(SyscallNumber.kill, Pid, (int)Signal.SIGKILL);
        }
    }

    /// <summary>Waits until a process that has been killed is gone, and gives back what it had.</summary>
    public void Bury()
    {
        if (!_isDead && Pid != 0)
        {
            _ = WaitStatus.WaitFor(Pid);
        }

        _isDead = true;
        HostMemory.Close(_doneFd);
        _orders.Free(_page);
    }

    private void Follow()
    {
        int here = HostProcessors.Current;
        if (_place != here && HostProcessors.Bind(Pid, here) == Errno.None)
        {
            _place = here;
        }
    }
}
