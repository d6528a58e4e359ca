using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Moat.Gofer;
using Moat.Host;
using Moat.Linux;
using Moat.TestSupport;

namespace Moat.NineP.Tests;

/// <summary>Speaks with diod, an implementation of 9P2000.L that was not written here: its server with our client, its tools with our server.</summary>
public sealed class DiodTests : IDisposable
{
    private readonly string _folder = TestRun.MakeFolder("diod");

    [Fact]
    public void OurClient_WorksWithTheirServer()
    {
        File.WriteAllText(Path.Combine(_folder, "there"), "before");
        string path = Path.Combine(_folder, "socket");
        using Process server = Start("diod", "-f", "-n", "-N", "-L", "stderr", "-e", _folder, "-l", path);
        try
        {
            using Socket socket = Connect(path, server);
            NinePClient client = NinePClient.Connect(new SocketTransport(socket), static _ => { }, 0, _folder).Value;
            Assert.False(client.IsExtended);
            Use(client);
        }
        finally
        {
            server.Kill();
            server.WaitForExit();
        }

        Assert.Equal("hello", File.ReadAllText(Path.Combine(_folder, "moved")));
        Assert.False(File.Exists(Path.Combine(_folder, "file")));
    }

    [Fact]
    public void TheirTools_WorkWithOurServer()
    {
        File.WriteAllText(Path.Combine(_folder, "one"), "first\n");
        Directory.CreateDirectory(Path.Combine(_folder, "dir"));
        File.WriteAllText(Path.Combine(_folder, "dir", "two"), "second\n");
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        int descriptorsFd = HostFile.OpenAt(HostFile.CurrentDirectory, "/proc/self/fd"u8, OpenFlags.O_PATH | OpenFlags.O_DIRECTORY).Value;
        using HostNinePFile root = HostTree.Open(_folder, descriptorsFd, isReadOnly: false).Value;
        Thread server = new(() =>
        {
            while (Accept(listener) is { } socket)
            {
                using (socket)
                {
                    new NinePServer(new SocketTransport(socket), root).Run();
                }
            }
        }) { IsBackground = true };
        server.Start();
        Assert.Equal("first\n", Output("diodcat", "-s", $"127.0.0.1:{port}", "-a", _folder, "one"));
        Assert.Equal("second\n", Output("diodcat", "-s", $"127.0.0.1:{port}", "-a", _folder, "dir/two"));
        string[] listed = Output("diodls", "-s", $"127.0.0.1:{port}", "-a", _folder).Split((char[])['\n', ' '], StringSplitOptions.RemoveEmptyEntries);
        Assert.Contains("one", listed);
        Assert.Contains("dir", listed);
        listener.Stop();
        server.Join();
        HostMemory.Close(descriptorsFd);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static void Use(NinePClient client)
    {
        byte[] buffer = new byte[64];
        uint there = client.Walk(NinePClient.RootFid, "there"u8).Value;
        Assert.Equal(Errno.None, client.Open(there, OpenFlags.O_RDONLY));
        Assert.Equal(6, client.Read(there, 0, buffer).Value);
        uint file = client.Walk(NinePClient.RootFid, default).Value;
        Assert.Equal(Errno.None, client.Create(file, "file"u8, OpenFlags.O_RDWR, (Mode)0x1A4, 0));
        Assert.Equal(5, client.Write(file, 0, "hello"u8).Value);
        Assert.Equal(5UL, client.Lookup(NinePClient.RootFid, "file"u8).Value.Attributes.Size);
        Assert.Equal(Errno.None, client.MakeSymlink(NinePClient.RootFid, "link"u8, "file"u8, 0));
        Assert.Equal("file"u8.ToArray(), client.Lookup(NinePClient.RootFid, "link"u8).Value.Target);
        Assert.Equal(Errno.None, client.MakeDirectory(NinePClient.RootFid, "dir"u8, (Mode)0x1ED, 0));
        Assert.Equal(Errno.None, client.Rename(NinePClient.RootFid, "file"u8, NinePClient.RootFid, "moved"u8));
        Assert.Equal(Errno.None, client.Unlink(NinePClient.RootFid, "dir"u8, isDirectory: true));
        Assert.Equal(Errno.ENOENT, client.Lookup(NinePClient.RootFid, "file"u8).Errno);
        Assert.True(client.GetStatistics(NinePClient.RootFid).Value.BlockSize > 0);
        uint directory = client.Walk(NinePClient.RootFid, default).Value;
        Assert.Equal(Errno.None, client.Open(directory, OpenFlags.O_RDONLY | OpenFlags.O_DIRECTORY));
        Assert.Contains(client.ReadDirectory(directory, 0).Value, static entry => entry.Name.AsSpan().SequenceEqual("moved"u8));
    }

    private static Socket? Accept(TcpListener listener)
    {
        try
        {
            return listener.AcceptSocket();
        }
        catch (Exception stopped) when (stopped is SocketException or InvalidOperationException)
        {
            return null;
        }
    }

    private static Socket Connect(string path, Process server)
    {
        Socket? socket = null;
        Patience.Await(() => server.HasExited || (socket = TryConnect(path)) is not null, "diod");
        return socket ?? throw new InvalidOperationException($"diod does not listen: {server.StandardError.ReadToEnd()}");
    }

    private static Socket? TryConnect(string path)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null;
        }
    }

    private static Process Start(string tool, params string[] arguments) =>
        Process.Start(new ProcessStartInfo("/usr/sbin/" + tool, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;

    private static string Output(string tool, params string[] arguments)
    {
        using Process process = Start(tool, arguments);
        string output = process.StandardOutput.ReadToEnd();
        string error = process.StandardError.ReadToEnd();
        Assert.True(process.WaitForExit(Patience.Limit) && process.ExitCode == 0, error);
        return output;
    }
}
