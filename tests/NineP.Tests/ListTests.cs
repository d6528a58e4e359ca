using System.Text;
using Moat.Linux;

namespace Moat.NineP.Tests;

public sealed class ListTests
{
    [Fact]
    public void Files_ComeWithTheirAttributesAndTargets()
    {
        using ServedTree tree = new();
        Directory.CreateDirectory(tree.PathOf("dir"));
        File.WriteAllText(tree.PathOf("dir/file"), "12345");
        Directory.CreateDirectory(tree.PathOf("dir/below"));
        File.CreateSymbolicLink(tree.PathOf("dir/link"), "to/where");
        NinePClient client = tree.Connect();
        List<NinePListedFile> files = [];
        Assert.True(client.List(NinePClient.RootFid, "dir"u8, 100, files, below: null, wantsFid: true, out uint? made, out NinePAttributes own).Value);
        Assert.Equal(client.Lookup(NinePClient.RootFid, "dir"u8).Value.Attributes with { AccessTime = default }, own with { AccessTime = default });
        Assert.Equal(["below", "file", "link"], files.Select(static file => file.Name.ToString()).Order(StringComparer.Ordinal));
        NinePListedFile link = files.Single(static file => file.Name.ToString() == "link");
        Assert.Equal("to/where", Encoding.ASCII.GetString(link.Target));
        foreach (NinePListedFile file in files)
        {
            (NinePAttributes attributes, byte[] target) = client.Lookup(made!.Value, file.Name.Bytes).Value;
            Assert.Equal(attributes with { AccessTime = default }, file.Attributes with { AccessTime = default }); // reading a link may change it
            Assert.Equal(target, file.Target);
        }

        Assert.Equal(5ul, files.Single(static file => file.Name.ToString() == "file").Attributes.Size);
    }

    [Fact]
    public void ManyFiles_ComeInSeveralMessages()
    {
        const int Count = 3000;
        using ServedTree tree = new();
        for (int i = 0; i < Count; i++)
        {
            File.WriteAllText(tree.PathOf($"a-rather-long-name-of-a-file-{i}"), "");
        }

        NinePClient client = tree.Connect();
        List<NinePListedFile> files = [];
        Assert.True(client.List(NinePClient.RootFid, default, Count, files, below: null, wantsFid: false, out uint? made, out _).Value);
        Assert.Null(made);
        Assert.Equal(Count, files.Select(static file => file.Name).Distinct().Count());
        files.Clear();
        Assert.False(client.List(NinePClient.RootFid, default, Count - 1, files, below: null, wantsFid: false, out _, out _).Value);
        Assert.Equal(Count - 1, files.Count);
    }

    [Fact]
    public void LongNamesAndTargets_FitTheSmallestMessages()
    {
        using ServedTree tree = new();
        for (int i = 0; i < 20; i++)
        {
            File.CreateSymbolicLink(tree.PathOf($"{i:D2}" + new string('n', 250)), string.Join('/', Enumerable.Repeat(new string('t', 200), 15)));
        }

        RawPeer peer = new(tree.Transport);
        Assert.Equal(Errno.None, peer.Version(NinePVersion.Extended, 4096));
        Assert.Equal(Errno.None, peer.Call(NinePMessageType.Tattach, static writer =>
        {
            writer.UInt32(1);
            writer.UInt32(uint.MaxValue);
            writer.String("");
            writer.String("");
            writer.UInt32(0);
        }));
        int count = 0;
        ulong cookie = 0;
        bool isEnd = false;
        while (!isEnd)
        {
            Assert.Equal(Errno.None, peer.Call(NinePMessageType.Tlist, writer => WriteList(writer, 1, uint.MaxValue, "", cookie), out byte[] answer));
            Assert.InRange(answer.Length, 13 + NinePAttributes.BytesInMessage, 4096 - 7);
            NinePReader reader = new(answer);
            NinePAttributes.Read(ref reader);
            cookie = reader.UInt64();
            isEnd = reader.Byte() != 0;
            for (uint left = reader.UInt32(); left > 0; left--)
            {
                reader.String();
                NinePAttributes.Read(ref reader);
                reader.String();
                count++;
            }

            Assert.False(reader.IsMalformed);
        }

        Assert.Equal(20, count);
    }

    [Fact]
    public void WhatIsNoDirectory_IsNotListed_AndMakesNoFid()
    {
        using ServedTree tree = new();
        File.WriteAllText(tree.PathOf("file"), "");
        File.CreateSymbolicLink(tree.PathOf("link"), "/etc");
        RawPeer peer = new(tree.Transport);
        peer.Attach(1);
        Assert.Equal(Errno.ENOTDIR, peer.Call(NinePMessageType.Tlist, static writer => WriteList(writer, 1, 2, "file", 0)));
        Assert.NotEqual(Errno.None, peer.Call(NinePMessageType.Tlist, static writer => WriteList(writer, 1, 2, "link", 0)));
        Assert.Equal(Errno.ENOENT, peer.Call(NinePMessageType.Tlist, static writer => WriteList(writer, 1, 2, "missing", 0)));
        Assert.Equal(Errno.EINVAL, peer.Call(NinePMessageType.Tlist, static writer => WriteList(writer, 1, 2, "..", 0)));
        Assert.Equal(Errno.EBADF, peer.Call(NinePMessageType.Tlist, static writer => WriteList(writer, 9, 2, "", 0)));
        Assert.Equal(Errno.EBADF, peer.Call(NinePMessageType.Tlist, static writer => WriteList(writer, 1, 1, "", 0))); // the fid is in use
        Assert.Equal(Errno.EBADF, peer.Call(NinePMessageType.Tclunk, static writer => writer.UInt32(2)));
        Assert.Equal(Errno.None, peer.Call(NinePMessageType.Tlist, static writer => WriteList(writer, 1, 2, "", 0)));
        Assert.Equal(Errno.None, peer.Call(NinePMessageType.Tclunk, static writer => writer.UInt32(2)));
    }

    [Fact]
    public void AServerThatDoesNotKnowTheMessage_SaysSo_AndTheConnectionGoesOn()
    {
        FakeServer server = new();
        NinePClient client = server.Connect();
        server.Answer(NinePMessageType.Rlerror, static writer => writer.UInt32((uint)Errno.EOPNOTSUPP));
        Assert.Equal(Errno.EOPNOTSUPP, client.List(NinePClient.RootFid, "x"u8, 10, [], below: null, wantsFid: true, out uint? made, out _).Errno);
        Assert.Null(made);
        server.Answer(NinePMessageType.Twalk + 1, static writer => writer.UInt16(0));
        Assert.True(client.Walk(NinePClient.RootFid, default).IsOk);
    }

    [Fact]
    public void NamesThatAreNone_BecomeEmpty()
    {
        FakeServer server = new();
        NinePClient client = server.Connect();
        server.Answer(NinePMessageType.Tlist + 1, static writer =>
        {
            default(NinePAttributes).Write(writer);
            writer.UInt64(7);
            writer.Byte(1);
            writer.UInt32(8);
            foreach (string name in new[] { "", ".", "..", "a/b", "/", "zero\0", new string('x', 256), "good" })
            {
                writer.String(name);
                default(NinePAttributes).Write(writer);
                writer.String("");
            }
        });
        List<NinePListedFile> files = [];
        Assert.True(client.List(NinePClient.RootFid, default, 100, files, below: null, wantsFid: false, out _, out _).Value);
        Assert.Equal(8, files.Count);
        Assert.Equal("good", Assert.Single(files, static file => file.Name.Length > 0).Name.ToString());
    }

    [Fact]
    public void AnAnswerThatIsCutOff_EndsTheConnection()
    {
        FakeServer server = new();
        NinePClient client = server.Connect();
        server.Answer(NinePMessageType.Tlist + 1, static writer =>
        {
            default(NinePAttributes).Write(writer);
            writer.UInt64(7);
            writer.Byte(1);
            writer.UInt32(1);
            writer.String("name");
            writer.UInt64(1);
        });
        Assert.Equal(Errno.EIO, client.List(NinePClient.RootFid, default, 100, [], below: null, wantsFid: false, out _, out _).Errno);
        Assert.Equal(Errno.EIO, client.Walk(NinePClient.RootFid, default).Errno);
    }

    [Fact]
    public void AListingWithoutEnd_EndsTheConnection()
    {
        const int Limit = 20;
        FakeServer server = new();
        NinePClient client = server.Connect();
        for (int i = 0; i <= Limit; i++)
        {
            server.Answer(NinePMessageType.Tlist + 1, static writer =>
            {
                default(NinePAttributes).Write(writer);
                writer.UInt64(7);
                writer.Byte(0);
                writer.UInt32(0);
            });
        }

        Assert.Equal(Errno.EIO, client.List(NinePClient.RootFid, default, Limit, [], below: null, wantsFid: false, out _, out _).Errno);
    }

    [Fact]
    public void DirectoriesBelow_ComeAlong()
    {
        using ServedTree tree = new();
        foreach (string path in new[] { "top/a/x", "top/a/y/deep", "top/b", "top/c" })
        {
            Directory.CreateDirectory(tree.PathOf(path));
        }

        File.WriteAllText(tree.PathOf("top/a/y/deep/file"), "12345");
        List<NinePListedFile> files = [];
        List<NinePListedDirectory> below = [];
        Assert.True(tree.Connect().List(NinePClient.RootFid, "top"u8, 100, files, below, wantsFid: false, out _, out _).Value);
        Assert.Equal(6, below.Count);
        List<string> paths = [];
        List<string> prefixes = [""];
        foreach (NinePListedDirectory directory in below)
        {
            NinePListedFile entry = (directory.Group == 0 ? files : below[directory.Group - 1].Files)[directory.Index];
            prefixes.Add($"{prefixes[directory.Group]}/{entry.Name}");
            paths.AddRange(directory.Files.Select(file => $"{prefixes[^1]}/{file.Name}"));
        }

        Assert.Equal(["/a/x", "/a/y", "/a/y/deep", "/a/y/deep/file"], paths.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void DirectoriesBelow_AreWholeOrLeftOut()
    {
        using ServedTree tree = new();
        for (int i = 0; i < 40; i++)
        {
            Directory.CreateDirectory(tree.PathOf($"d{i:D2}"));
            for (int j = 0; j < 50; j++)
            {
                File.WriteAllText(tree.PathOf($"d{i:D2}/{j}"), "");
            }
        }

        List<NinePListedFile> files = [];
        List<NinePListedDirectory> below = [];
        Assert.True(tree.Connect().List(NinePClient.RootFid, default, 100, files, below, wantsFid: false, out _, out _).Value);
        Assert.Equal(40, files.Count);
        Assert.InRange(below.Count, 1, 39);
        Assert.All(below, static directory => Assert.Equal(50, directory.Files.Count));
    }

    [Theory]
    [InlineData(1, 0)] // no such group yet
    [InlineData(0, 1)] // no such file
    [InlineData(uint.MaxValue, 0)]
    [InlineData(0, uint.MaxValue)]
    public void ADirectoryBelowThatIsNone_EndsTheConnection(uint group, uint index)
    {
        FakeServer server = new();
        NinePClient client = server.Connect();
        server.Answer(NinePMessageType.Tlist + 1, writer =>
        {
            default(NinePAttributes).Write(writer);
            writer.UInt64(7);
            writer.Byte(1);
            writer.UInt32(1);
            writer.String("dir");
            default(NinePAttributes).Write(writer);
            writer.String("");
            writer.UInt32(group);
            writer.UInt32(index);
            writer.UInt32(0);
        });
        Assert.Equal(Errno.EIO, client.List(NinePClient.RootFid, default, 100, [], [], wantsFid: false, out _, out _).Errno);
    }

    private static void WriteList(NinePWriter writer, uint fid, uint newFid, string name, ulong cookie)
    {
        writer.UInt32(fid);
        writer.UInt32(newFid);
        writer.String(name);
        writer.UInt64(cookie);
        writer.UInt32(0);
    }
}
