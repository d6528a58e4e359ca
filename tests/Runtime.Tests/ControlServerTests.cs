using Moat.Control;
using Moat.Host.Sockets;
using Moat.TestSupport;

namespace Moat.Runtime.Tests;

/// <summary>The control socket: who asks is answered, also when the process is about to end.</summary>
public sealed class ControlServerTests : IDisposable
{
    private readonly string _folder = TestRun.MakeFolder("control");

    private string Socket => Path.Combine(_folder, "socket");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void LastAnswer_IsWaitedFor()
    {
        using HeldHandler handler = new();
        ControlServer server = new(UnixSocket.Listen(Socket, 8).Value, handler, static _ => { }); // it listens as long as the process lives
        server.Start();
        Assert.True(server.AwaitAnswers(0));
        ControlReply? reply = null;
        Thread caller = new(() =>
        {
            using ControlClient client = ControlClient.Connect(Socket).Value;
            reply = client.Call(new ControlRequest { Method = ControlMethod.Start }).Value;
        });
        caller.Start();
        Assert.True(handler.IsCalled.Wait(Patience.Limit, TestContext.Current.CancellationToken));
        Assert.False(server.AwaitAnswers(0));
        Assert.False(server.AwaitAnswers(20));
        handler.MayAnswer.Set();
        Assert.True(server.AwaitAnswers((int)Patience.Limit.TotalMilliseconds));
        Assert.True(caller.Join(Patience.Limit));
        Assert.Equal(7, reply!.Pid);
    }

    /// <summary>Answers when it may.</summary>
    private sealed class HeldHandler : IControlHandler, IDisposable
    {
        public ManualResetEventSlim IsCalled { get; } = new();

        public ManualResetEventSlim MayAnswer { get; } = new();

        public ControlReply Handle(ControlRequest request, List<int> descriptors, CancellationToken callerGone)
        {
            IsCalled.Set();
            MayAnswer.Wait(callerGone);
            return new ControlReply { Pid = 7 };
        }

        public void Dispose()
        {
            IsCalled.Dispose();
            MayAnswer.Dispose();
        }
    }
}
