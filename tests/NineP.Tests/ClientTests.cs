using Moat.Linux;

namespace Moat.NineP.Tests;

public sealed class ClientTests
{
    [Fact]
    public void Files_AreWrittenReadAndListed()
    {
        using ServedTree tree = new(pieceSize: 5);
        NinePClient client = tree.Connect();
        Assert.True(client.IsExtended);
        uint file = client.Walk(NinePClient.RootFid, default).Value;
        Assert.Equal(Errno.None, client.Create(file, "file"u8, OpenFlags.O_RDWR, (Mode)0x1A4, 0));
        Assert.Equal(5, client.Write(file, 0, "hello"u8).Value);
        byte[] buffer = new byte[16];
        Assert.Equal(5, client.Read(file, 0, buffer).Value);
        Assert.Equal("hello", System.Text.Encoding.ASCII.GetString(buffer, 0, 5));
        Assert.Equal(Errno.None, client.MakeDirectory(NinePClient.RootFid, "dir"u8, (Mode)0x1ED, 0));
        Assert.Equal(Errno.None, client.MakeSymlink(NinePClient.RootFid, "link"u8, "to/where"u8, 0));
        Assert.Equal("to/where", System.Text.Encoding.ASCII.GetString(client.Lookup(NinePClient.RootFid, "link"u8).Value.Target));
        Assert.Equal(["dir", "file", "link"], Names(client));
        Assert.Equal("hello", File.ReadAllText(tree.PathOf("file")));
    }

    [Fact]
    public void Directories_OfManyEntries_AreListedWholeWhileTheyChange()
    {
        const int Count = 3000;
        using ServedTree tree = new();
        for (int i = 0; i < Count; i++)
        {
            File.WriteAllText(tree.PathOf($"a-rather-long-name-of-a-file-{i}"), "");
        }

        NinePClient client = tree.Connect();
        uint fid = client.Walk(NinePClient.RootFid, default).Value;
        Assert.Equal(Errno.None, client.Open(fid, OpenFlags.O_RDONLY | OpenFlags.O_DIRECTORY));
        HashSet<string> seen = [];
        ulong cookie = 0;
        while (client.ReadDirectory(fid, cookie).Value is { Count: > 0 } some)
        {
            foreach (NinePDirectoryEntry entry in some)
            {
                Assert.True(seen.Add(System.Text.Encoding.UTF8.GetString(entry.Name)), "an entry came twice");
            }

            cookie = some[^1].Cookie;
            File.WriteAllText(tree.PathOf($"new-{cookie}"), "");
        }

        Assert.Equal(Count, seen.Count(static name => name.StartsWith("a-rather", StringComparison.Ordinal)));
    }

    [Fact]
    public void OpenFiles_SurviveTheirNames()
    {
        using ServedTree tree = new();
        File.WriteAllText(tree.PathOf("file"), "content");
        NinePClient client = tree.Connect();
        uint fid = client.Walk(NinePClient.RootFid, "file"u8).Value;
        Assert.Equal(Errno.None, client.Open(fid, OpenFlags.O_RDONLY));
        Assert.Equal(Errno.None, client.Unlink(NinePClient.RootFid, "file"u8, isDirectory: false));
        byte[] buffer = new byte[16];
        Assert.Equal(7, client.Read(fid, 0, buffer).Value);
        Assert.Equal(Errno.ENOENT, client.Walk(NinePClient.RootFid, "file"u8).Errno);
    }

    [Fact]
    public void Names_OfAnyBytes_GoThrough()
    {
        using ServedTree tree = new();
        NinePClient client = tree.Connect();
        byte[][] names = [[0xff, 0xfe], "new\nline"u8.ToArray(), " "u8.ToArray(), "...."u8.ToArray(), [.. Enumerable.Repeat((byte)'x', 255)]];
        foreach (byte[] name in names)
        {
            Assert.Equal(Errno.None, client.MakeDirectory(NinePClient.RootFid, name, (Mode)0x1ED, 0));
            Assert.Equal(Errno.None, client.Lookup(NinePClient.RootFid, name).Errno);
            Assert.Equal(Errno.None, client.Unlink(NinePClient.RootFid, name, isDirectory: true));
        }

        Assert.Equal(Errno.ENAMETOOLONG, client.MakeDirectory(NinePClient.RootFid, [.. Enumerable.Repeat((byte)'x', 256)], (Mode)0x1ED, 0));
    }

    [Fact]
    public void SparseAndLargeFiles_HaveTheirOffsets()
    {
        const ulong Far = 1UL << 40;
        using ServedTree tree = new();
        NinePClient client = tree.Connect();
        uint file = client.Walk(NinePClient.RootFid, default).Value;
        client.Create(file, "file"u8, OpenFlags.O_RDWR, (Mode)0x1A4, 0);
        Assert.Equal(1, client.Write(file, Far, "x"u8).Value);
        NinePAttributes attributes = client.GetAttributes(file).Value;
        Assert.Equal(Far + 1, attributes.Size);
        Assert.True(attributes.Blocks < 1000);
        byte[] buffer = new byte[4];
        Assert.Equal(1, client.Read(file, Far, buffer).Value);
        Assert.Equal(0, client.Read(file, Far + 1, buffer).Value);
    }

    [Theory]
    [InlineData("0B000000" + "6F" + "0100" + "00000000")] // another type
    [InlineData("0B000000" + "65" + "0900" + "00000000")] // another tag
    [InlineData("07000000" + "65" + "FFFF")] // no fields
    [InlineData("03000000" + "65" + "FFFF")] // no size
    [InlineData("FFFFFFFF" + "65" + "FFFF")] // a size too large
    [InlineData("15000000" + "65" + "FFFF" + "FFFFFFFF" + "0800" + "3950323030302E4C")] // larger messages than were asked for
    [InlineData("15000000" + "65" + "FFFF" + "10000000" + "0800" + "3950323030302E4C")] // messages of 16 bytes
    [InlineData("14000000" + "65" + "FFFF" + "00200000" + "0700" + "756E6B6E6F776E")] // unknown
    public void Connect_ToAServerThatAnswersWrong_Fails(string answer)
    {
        (MemoryTransport ours, MemoryTransport theirs) = MemoryTransport.CreatePair();
        byte[] bytes = Convert.FromHexString(answer);
        theirs.Send(bytes, []);
        theirs.Send(bytes, []);
        theirs.Dispose();
        Assert.Contains(NinePClient.Connect(ours, static _ => { }, 0, "").Errno, new[] { Errno.EIO, Errno.EPROTONOSUPPORT });
    }

    [Fact]
    public void ABrokenConnection_GivesEioFromThenOn()
    {
        ServedTree tree = new();
        NinePClient client = tree.Connect();
        tree.Dispose();
        Assert.Equal(Errno.EIO, client.GetAttributes(NinePClient.RootFid).Errno);
        Assert.Equal(Errno.EIO, client.Walk(NinePClient.RootFid, "x"u8).Errno);
    }

    private static List<string> Names(NinePClient client)
    {
        uint fid = client.Walk(NinePClient.RootFid, default).Value;
        Assert.Equal(Errno.None, client.Open(fid, OpenFlags.O_RDONLY | OpenFlags.O_DIRECTORY));
        List<string> names = [];
        ulong cookie = 0;
        while (client.ReadDirectory(fid, cookie).Value is { Count: > 0 } some)
        {
            names.AddRange(some.Select(static entry => System.Text.Encoding.UTF8.GetString(entry.Name)).Where(static name => name is not ("." or "..")));
            cookie = some[^1].Cookie;
        }

        client.Clunk(fid);
        names.Sort(StringComparer.Ordinal);
        return names;
    }
}
