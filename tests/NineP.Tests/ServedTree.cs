using Moat.Gofer;
using Moat.Host;
using Moat.Linux;
using Moat.TestSupport;

namespace Moat.NineP.Tests;

/// <summary>A temporary folder that a server of ours serves, and the other end of its connection.</summary>
internal sealed class ServedTree : IDisposable
{
    private readonly MemoryTransport _serverEnd;
    private readonly Thread _server;
    private readonly int _descriptorsFd;

    public ServedTree(bool isReadOnly = false, int pieceSize = int.MaxValue)
    {
        Folder = TestRun.MakeFolder("ninep");
        (Transport, _serverEnd) = MemoryTransport.CreatePair(pieceSize);
        _descriptorsFd = HostFile.OpenAt(HostFile.CurrentDirectory, "/proc/self/fd"u8, OpenFlags.O_PATH | OpenFlags.O_DIRECTORY).Value;
        HostNinePFile root = HostTree.Open(Folder, _descriptorsFd, isReadOnly).Value;
        _server = new Thread(() =>
        {
            Ended = new NinePServer(_serverEnd, root).Run();
            _serverEnd.Dispose();
            root.Dispose();
        });
        _server.Start();
    }

    /// <summary>The folder.</summary>
    public string Folder { get; }

    /// <summary>The client's end.</summary>
    public MemoryTransport Transport { get; }

    /// <summary>Why the server ended, after <see cref="Dispose"/> or once it has.</summary>
    public Errno Ended { get; private set; }

    /// <summary>Waits until the server has ended by itself.</summary>
    public Errno WaitForEnd()
    {
        Assert.True(_server.Join(Patience.Limit));
        return Ended;
    }

    /// <summary>A client attached to it.</summary>
    public NinePClient Connect() => NinePClient.Connect(Transport, static _ => { }, 0, "").Value;

    /// <summary>A path in it.</summary>
    public string PathOf(string name) => Path.Combine(Folder, name);

    public void Dispose()
    {
        Transport.Dispose();
        _server.Join();
        HostMemory.Close(_descriptorsFd);
        Directory.Delete(Folder, recursive: true);
    }
}
