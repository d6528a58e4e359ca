using Moat.Sentry;

namespace Moat.Runtime.Tests.Exec;

/// <summary>What the Sentry knows of processes that exec started: pids come again.</summary>
public sealed class ExecStatusesTests
{
    private readonly ExecStatuses _statuses = new(maxEnded: 3);

    [Fact]
    public void Status_IsKept_ForWhoAsksLater()
    {
        Run(5, 42);
        Assert.True(_statuses.TryGet(5, out int status));
        Assert.Equal(42, status);
        Assert.False(_statuses.End(5, 1)); // it has ended already
    }

    [Fact]
    public void Status_OfAnEarlierProcessWithThePid_IsNotTheLaterOnes()
    {
        Run(5, 42);
        _statuses.Begin(5);
        Assert.False(_statuses.TryGet(5, out _));
        Assert.True(_statuses.IsRunning(5));
        Assert.True(_statuses.End(5, 7));
        Assert.True(_statuses.TryGet(5, out int status));
        Assert.Equal(7, status);
    }

    [Fact]
    public void Status_OfALaterProcess_OutlivesThatOfTheEarlier()
    {
        Run(5, 42);
        Run(6, 0);
        Run(5, 7);
        Run(8, 0); // the first end is forgotten, which is not the second of the same pid
        Assert.True(_statuses.TryGet(5, out int status));
        Assert.Equal(7, status);
        Run(9, 0);
        Run(10, 0);
        Assert.False(_statuses.Knows(5));
    }

    [Fact]
    public void Forget_OfAProcessThatDidNotStart_LeavesNothing()
    {
        _statuses.Begin(5);
        _statuses.Forget(5);
        Assert.False(_statuses.Knows(5));
        Assert.False(_statuses.End(5, 0));
    }

    private void Run(int pid, int status)
    {
        _statuses.Begin(pid);
        Assert.True(_statuses.End(pid, status));
    }
}
