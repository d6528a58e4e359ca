using Moat.Oci;
using Moat.Runtime.State;
using Moat.TestSupport;

namespace Moat.Runtime.Tests.State;

/// <summary>The directory of a container: one name, one lock, a record that is whole at any moment.</summary>
public sealed class ContainerDirectoryTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("moat-state-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Name_IsTakenOnce()
    {
        using ContainerDirectory first = ContainerDirectory.Create(_root, "a");
        RuntimeException refused = Assert.Throws<RuntimeException>(() => ContainerDirectory.Create(_root, "a"));
        Assert.Equal("container with id \"a\" already exists", refused.Message);
    }

    [Fact]
    public void Record_IsReadBack_WithMembersThatThisVersionDoesNotKnow()
    {
        using ContainerDirectory directory = ContainerDirectory.Create(_root, "a");
        Assert.Null(directory.Read());
        ContainerRecord record = MakeRecord("a") with { SandboxPid = 5, SandboxStart = 7, CgroupPaths = ["/x"] };
        directory.Write(record);
        ContainerRecord read = directory.Read()!;
        Assert.Equal((record.Id, record.SandboxPid, record.SandboxStart, record.Written), (read.Id, read.SandboxPid, read.SandboxStart, read.Written));
        Assert.Equal(["/x"], read.CgroupPaths);
        Assert.Equal(["sh"], read.Spec.Process!.Args);
        Assert.Equal(ContainerStatus.Stopped, read.Status()); // no such process
    }

    [Fact]
    public void Lock_KeepsOthersWaiting_UntilItIsGivenBack()
    {
        ContainerDirectory first = ContainerDirectory.Create(_root, "a");
        using ManualResetEventSlim entered = new();
        Thread second = new(() =>
        {
            using ContainerDirectory opened = ContainerDirectory.Open(_root, "a");
            entered.Set();
        });
        second.Start();
        Assert.False(entered.Wait(100, TestContext.Current.CancellationToken));
        first.Dispose();
        Assert.True(entered.Wait(Patience.Limit, TestContext.Current.CancellationToken));
        second.Join();
    }

    [Fact]
    public void WhoWaitedForARemovedContainer_IsToldThatThereIsNone()
    {
        ContainerDirectory first = ContainerDirectory.Create(_root, "a");
        Exception? fault = null;
        Thread second = new(() => fault = Record.Exception(() => ContainerDirectory.Open(_root, "a").Dispose()));
        second.Start();
        Thread.Sleep(50);
        first.Remove();
        first.Dispose();
        second.Join();
        Assert.Equal("container \"a\" does not exist", fault!.Message);
        Assert.Empty(Directory.GetFileSystemEntries(_root));
    }

    [Fact]
    public void Counter_UnderTheLock_LosesNothing()
    {
        using (ContainerDirectory directory = ContainerDirectory.Create(_root, "a"))
        {
            directory.Write(MakeRecord("a"));
        }

        Thread[] threads = [.. Enumerable.Range(0, 4).Select(_ => new Thread(() =>
        {
            for (int i = 0; i < 25; i++)
            {
                using ContainerDirectory directory = ContainerDirectory.Open(_root, "a");
                ContainerRecord record = directory.Read()!;
                directory.Write(record with { GoferPid = record.GoferPid + 1 });
            }
        }))];
        Array.ForEach(threads, static thread => thread.Start());
        while (Array.Exists(threads, static thread => thread.IsAlive))
        {
            Assert.NotNull(ContainerDirectory.Peek(_root, "a")); // without the lock: old or new, never half
        }

        Assert.Equal(100, ContainerDirectory.Peek(_root, "a")!.GoferPid);
    }

    [Fact]
    public void List_LeavesOutWhatIsNoContainer()
    {
        Directory.CreateDirectory(Path.Combine(_root, "~a.1"));
        File.WriteAllText(Path.Combine(_root, "file"), "");
        ContainerDirectory.Create(_root, "b").Dispose();
        ContainerDirectory.Create(_root, "a").Dispose();
        Assert.Equal(["a", "b"], ContainerDirectory.List(_root));
        Assert.Empty(ContainerDirectory.List("/no/such"));
    }

    [Theory]
    [InlineData("a", true)]
    [InlineData("A-b_c.d+9", true)]
    [InlineData("", false)]
    [InlineData(".", false)]
    [InlineData("..", false)]
    [InlineData("a/b", false)]
    [InlineData("a b", false)]
    [InlineData("ä", false)]
    public void Id_IsANameForADirectory(string id, bool isValid) => Assert.Equal(isValid, ContainerId.Validate(id) is null);

    [Fact]
    public void Id_IsBounded()
    {
        Assert.Null(ContainerId.Validate(new string('a', 255)));
        Assert.NotNull(ContainerId.Validate(new string('a', 256)));
    }

    private static ContainerRecord MakeRecord(string id) => new()
    {
        Id = id,
        Bundle = "/b",
        Rootfs = "/b/rootfs",
        Created = DateTime.UnixEpoch,
        OwnerUid = 0,
        Written = ContainerStatus.Running,
        Spec = new OciSpec { OciVersion = "1.0.0", Process = new OciProcess { Args = ["sh"], Cwd = "/" }, Root = new OciRoot { Path = "rootfs" } },
    };
}
