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
        Assert.True(client.List(NinePClient.RootFid, "dir"u8, 100, files, wantsFid: true, out uint? made).Value);
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
        Assert.True(client.List(NinePClient.RootFid, default, Count, files, wantsFid: false, out uint? made).Value);
        Assert.Null(made);
        Assert.Equal(Count, files.Select(static file => file.Name).Distinct().Count());
        files.Clear();
        Assert.False(client.List(NinePClient.RootFid, default, Count - 1, files, wantsFid: false, out _).Value);
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
            Assert.InRange(answer.Length, 9, 4096 - 7);
            NinePReader reader = new(answer);
            cookie = reader.UInt64();
            isEnd = reader.Byte() != 0;
            while (reader.Remaining > 0)
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
        Assert.Equal(Errno.EOPNOTSUPP, client.List(NinePClient.RootFid, "x"u8, 10, [], wantsFid: true, out uint? made).Errno);
        Assert.Null(made);
        server.Answer(NinePMessageType.Twalk + 1, static writer => writer.UInt16(0));
        Assert.True(client.Walk(NinePClient.RootFid, default).IsOk);
    }

    [Fact]
    public void NamesThatAreNone_AreLeftOut()
    {
        FakeServer server = new();
        NinePClient client = server.Connect();
        server.Answer(NinePMessageType.Tlist + 1, static writer =>
        {
            writer.UInt64(7);
            writer.Byte(1);
            foreach (string name in new[] { "", ".", "..", "a/b", "/", "zero\0", new string('x', 256), "good" })
            {
                writer.String(name);
                default(NinePAttributes).Write(writer);
                writer.String("");
            }
        });
        List<NinePListedFile> files = [];
        Assert.True(client.List(NinePClient.RootFid, default, 100, files, wantsFid: false, out _).Value);
        Assert.Equal("good", Assert.Single(files).Name.ToString());
    }

    [Fact]
    public void AnAnswerThatIsCutOff_EndsTheConnection()
    {
        FakeServer server = new();
        NinePClient client = server.Connect();
        server.Answer(NinePMessageType.Tlist + 1, static writer =>
        {
            writer.UInt64(7);
            writer.Byte(1);
            writer.String("name");
            writer.UInt64(1);
        });
        Assert.Equal(Errno.EIO, client.List(NinePClient.RootFid, default, 100, [], wantsFid: false, out _).Errno);
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
                writer.UInt64(7);
                writer.Byte(0);
            });
        }

        Assert.Equal(Errno.EIO, client.List(NinePClient.RootFid, default, Limit, [], wantsFid: false, out _).Errno);
    }

    private static void WriteList(NinePWriter writer, uint fid, uint newFid, string name, ulong cookie)
    {
        writer.UInt32(fid);
        writer.UInt32(newFid);
        writer.String(name);
        writer.UInt64(cookie);
    }
}
