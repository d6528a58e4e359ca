using Moat.Linux;
using Moat.Platform.Systrap.Amd64;

namespace Moat.Platform.Systrap;

/// <summary>Has the first stub fork others, ahead of their use: one is ready, and one is on its way. The callers lock.</summary>
internal sealed class StubNursery(SystrapPlatform platform, StubProcess first, SlotFile orderPages)
{
    private WarmStub? _ready;
    private WarmStub? _ordered;

    /// <summary>Takes a stub; waits only if none is ready.</summary>
    public Result<WarmStub> Take()
    {
        if (!See().TryGet(out WarmStub? taken, out Errno errno))
        {
            return errno;
        }

        _ready = null;
        if (_ordered is not null && first.TryAwait(out Result<int> report))
        {
            Receive(report);
        }

        if (_ordered is null)
        {
            Order(); // what goes wrong with the next one shows when it is needed
        }

        return taken;
    }

    /// <summary>Waits until one is ready, and leaves it there.</summary>
    public Result<WarmStub> See()
    {
        Errno errno = Errno.None;
        if (_ready is null)
        {
            errno = _ordered is null ? Order() : Errno.None;
            errno = errno == Errno.None ? Receive(first.Await()) : errno;
        }

        return errno == Errno.None ? _ready! : errno;
    }

    /// <summary>Waits for those that are not taken, and ends them.</summary>
    public void Dispose()
    {
        End(_ready);
        if (_ordered is not null && Receive(first.Await()) == Errno.None)
        {
            End(_ready);
        }
    }

    private static void End(WarmStub? stub)
    {
        stub?.Process.Kill();
        stub?.Process.Bury();
    }

    // Nobody waits for it.
    private Errno Order()
    {
        if (!platform.NewThread(0).TryGet(out StubThread? thread, out Errno errno))
        {
            return errno;
        }

        if (!StubProcess.Prepare(orderPages).TryGet(out StubProcess? process, out errno))
        {
            platform.FreeThread(thread);
            return errno;
        }

        StubOrders orders = new();
        platform.OrderThread(orders, thread, 0);
        process.Post(orders, 0);
        orders.Clear();
        orders.Add(OrderPage.MakeProcess, process.PageOffset);
        first.Post(orders, 0);
        _ordered = new WarmStub(process, thread);
        return Errno.None;
    }

    private Errno Receive(Result<int> report)
    {
        WarmStub ordered = _ordered!;
        _ordered = null;
        if (!report.TryGet(out int pid, out Errno errno))
        {
            ordered.Process.Bury();
            platform.FreeThread(ordered.Thread);
            return errno;
        }

        ordered.Process.Pid = pid;
        _ready = ordered;
        return Errno.None;
    }
}
