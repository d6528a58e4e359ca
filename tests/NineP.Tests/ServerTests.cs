using CsCheck;
using Moat.Linux;

namespace Moat.NineP.Tests;

/// <summary>What a server makes of peers that do not keep to the rules.</summary>
public sealed class ServerTests
{
    [Theory]
    [InlineData(NinePVersion.Extended, NinePVersion.Extended)]
    [InlineData(NinePVersion.Linux, NinePVersion.Linux)]
    [InlineData("9P2000.L.other", NinePVersion.Linux)]
    [InlineData("9P2000", NinePVersion.Unknown)]
    [InlineData("", NinePVersion.Unknown)]
    public void Version_IsAnsweredWithWhatBothSpeak(string asked, string answered)
    {
        using ServedTree tree = new();
        RawPeer peer = new(tree.Transport);
        Errno errno = peer.Call(
            NinePMessageType.Tversion,
            writer =>
            {
                writer.UInt32(8192);
                writer.String(asked);
            },
            out byte[] answer);
        Assert.Equal(Errno.None, errno);
        NinePReader reader = new(answer);
        Assert.Equal(8192u, reader.UInt32());
        Assert.Equal(answered, System.Text.Encoding.UTF8.GetString(reader.String()));
    }

    [Fact]
    public void Version_WithAHugeSize_IsCutToTheServersLimit()
    {
        using ServedTree tree = new();
        RawPeer peer = new(tree.Transport);
        peer.Call(
            NinePMessageType.Tversion,
            static writer =>
            {
                writer.UInt32(uint.MaxValue);
                writer.String(NinePVersion.Linux);
            },
            out byte[] answer);
        Assert.Equal((uint)NinePServer.MaxMessage, BitConverter.ToUInt32(answer));
        Assert.Equal(Errno.EINVAL, peer.Version(NinePVersion.Linux, 100));
    }

    [Fact]
    public void ExtendedMessages_WithoutTheVersion_AreUnknown()
    {
        using ServedTree tree = new();
        RawPeer peer = new(tree.Transport);
        peer.Attach(1, NinePVersion.Linux);
        Assert.Equal(Errno.EOPNOTSUPP, peer.Call(NinePMessageType.Tlookup, static writer =>
        {
            writer.UInt32(1);
            writer.String("x");
        }));
    }

    [Fact]
    public void EveryType_WithAnEmptyBody_GetsAnErrorAndTheConnectionGoesOn()
    {
        using ServedTree tree = new();
        RawPeer peer = new(tree.Transport);
        peer.Attach(1);
        for (int type = 0; type < 256; type += 2)
        {
            Assert.NotEqual(Errno.None, peer.Call((NinePMessageType)type, static _ => { }));
        }

        Assert.Equal(Errno.None, peer.Walk(1, 2));
    }

    [Fact]
    public void RandomBodies_NeverEndTheConnection()
    {
        using ServedTree tree = new();
        RawPeer peer = new(tree.Transport);
        peer.Attach(1);
        Gen.Select(Gen.Byte, Gen.Byte.Array[0, 80]).Sample(
            (type, body) =>
            {
                peer.Call((NinePMessageType)(type & 0xfe), writer => writer.Bytes(body));
            },
            iter: 2000,
            threads: 1);
        Assert.Equal(Errno.None, peer.Version(NinePVersion.Extended, 8192));
    }

    [Fact]
    public void TruncatedRequests_AreMalformed()
    {
        using ServedTree tree = new();
        RawPeer peer = new(tree.Transport);
        peer.Attach(1);
        byte[] body = TmkdirBody();
        for (int length = 0; length < body.Length; length++)
        {
            Assert.Equal(Errno.EBADMSG, peer.Call(NinePMessageType.Tmkdir, writer => writer.Bytes(body.AsSpan(0, length))));
        }
    }

    [Fact]
    public void AMessageThatIsTooLarge_EndsTheConnection()
    {
        using ServedTree tree = new();
        byte[] header = new byte[7];
        BitConverter.TryWriteBytes(header, NinePServer.MaxMessage + 1);
        tree.Transport.Send(header, []);
        Assert.Equal(Errno.EBADMSG, tree.WaitForEnd());
    }

    [Fact]
    public void HangingUpInAMessage_EndsTheConnection()
    {
        ServedTree tree = new();
        tree.Transport.Send([100, 0, 0, 0, 1], []);
        tree.Dispose();
        Assert.Equal(Errno.ECONNRESET, tree.Ended);
    }

    [Fact]
    public void Fids_CannotBeTakenTwiceOrUsedUnknown()
    {
        using ServedTree tree = new();
        RawPeer peer = new(tree.Transport);
        peer.Attach(1);
        Assert.Equal(Errno.None, peer.Walk(1, 2));
        Assert.Equal(Errno.EBADF, peer.Walk(1, 2));
        Assert.Equal(Errno.EBADF, peer.Walk(9, 3));
        Assert.Equal(Errno.EBADF, peer.Call(NinePMessageType.Tclunk, static writer => writer.UInt32(9)));
        Assert.Equal(Errno.None, peer.Call(NinePMessageType.Tclunk, static writer => writer.UInt32(2)));
        Assert.Equal(Errno.EBADF, peer.Call(NinePMessageType.Tclunk, static writer => writer.UInt32(2)));
        Assert.Equal(Errno.EBADF, peer.Call(NinePMessageType.Tattach, static writer => RawPeer.WriteAttach(writer, 1)));
    }

    [Fact]
    public void Fids_HaveALimit()
    {
        using ServedTree tree = new();
        RawPeer peer = new(tree.Transport);
        peer.Attach(0);
        Errno errno = Errno.None;
        uint made = 1;
        for (; made <= NinePServer.MaxFids && errno == Errno.None; made++)
        {
            errno = peer.Walk(0, made);
        }

        Assert.Equal(Errno.EMFILE, errno);
        Assert.Equal(Errno.None, peer.Call(NinePMessageType.Tclunk, static writer => writer.UInt32(1)));
        Assert.Equal(Errno.None, peer.Walk(0, 1));
    }

    [Fact]
    public void ANewVersion_ForgetsAllFids()
    {
        using ServedTree tree = new();
        RawPeer peer = new(tree.Transport);
        peer.Attach(1);
        peer.Version(NinePVersion.Extended, 8192);
        Assert.Equal(Errno.EBADF, peer.Walk(1, 2));
    }

    [Fact]
    public void Reading_WithoutOpening_IsRefused()
    {
        using ServedTree tree = new();
        File.WriteAllText(tree.PathOf("file"), "x");
        RawPeer peer = new(tree.Transport);
        peer.Attach(1);
        peer.Walk(1, 2, "file");
        Assert.Equal(Errno.EBADF, peer.Call(NinePMessageType.Tread, static writer => WriteRange(writer, 2, 10)));
        Assert.Equal(Errno.EBADF, peer.Call(NinePMessageType.Treaddir, static writer => WriteRange(writer, 1, 10)));
        Assert.Equal(Errno.None, Open(peer, 2, OpenFlags.O_RDONLY));
        Assert.Equal(Errno.EBUSY, Open(peer, 2, OpenFlags.O_RDONLY));
        Assert.Equal(Errno.None, peer.Call(NinePMessageType.Tread, static writer => WriteRange(writer, 2, uint.MaxValue)));
    }

    [Fact]
    public void Walk_StopsAtTheFirstNameThatIsNot_AndMakesNoFid()
    {
        using ServedTree tree = new();
        Directory.CreateDirectory(tree.PathOf("a"));
        RawPeer peer = new(tree.Transport);
        peer.Attach(1);
        Assert.Equal(Errno.None, peer.Walk(1, 2, out byte[] answer, "a", "missing", "b"));
        Assert.Equal(1, BitConverter.ToUInt16(answer));
        Assert.Equal(Errno.EBADF, peer.Walk(2, 3));
        Assert.Equal(Errno.ENOENT, peer.Walk(1, 2, "missing"));
        Assert.Equal(Errno.EINVAL, peer.Walk(1, 2, [.. Enumerable.Repeat("a", 17)]));
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("a/b")]
    [InlineData("/etc")]
    [InlineData("a\0b")]
    public void Names_ThatAreNoComponent_AreInvalid(string name)
    {
        using ServedTree tree = new();
        RawPeer peer = new(tree.Transport);
        peer.Attach(1);
        Assert.Equal(Errno.EINVAL, peer.Walk(1, 2, name));
        Assert.Equal(Errno.EINVAL, peer.Call(NinePMessageType.Tmkdir, writer =>
        {
            writer.UInt32(1);
            writer.String(name);
            writer.UInt32(0x1ED);
            writer.UInt32(0);
        }));
    }

    [Fact]
    public void DotDot_DoesNotLeaveTheTree()
    {
        using ServedTree tree = new();
        Directory.CreateDirectory(tree.PathOf("a"));
        RawPeer peer = new(tree.Transport);
        peer.Attach(1);
        peer.Walk(1, 2, out byte[] root);
        Assert.Equal(Errno.None, peer.Walk(1, 3, "..", "..", "..", "a"));
        Assert.Equal(Errno.None, peer.Walk(3, 4, out byte[] answer, "..", "..", "a", ".."));
        Assert.Equal(4, BitConverter.ToUInt16(answer));
        Assert.Equal(Errno.EINVAL, peer.Call(NinePMessageType.Tlookup, static writer =>
        {
            writer.UInt32(1);
            writer.String("..");
        }));
        Assert.Equal(Errno.EINVAL, peer.Call(NinePMessageType.Tunlinkat, static writer =>
        {
            writer.UInt32(1);
            writer.String("..");
            writer.UInt32(0x200);
        }));
        Assert.Equal(2, root.Length);
    }

    [Fact]
    public void SymbolicLinks_AreNeverFollowed()
    {
        using ServedTree tree = new();
        File.CreateSymbolicLink(tree.PathOf("out"), "/etc");
        File.CreateSymbolicLink(tree.PathOf("passwd"), "/etc/passwd");
        RawPeer peer = new(tree.Transport);
        peer.Attach(1);
        Assert.Equal(Errno.None, peer.Walk(1, 2, out byte[] answer, "out", "passwd"));
        Assert.Equal(1, BitConverter.ToUInt16(answer)); // the link, but nothing below it
        Assert.Equal(Errno.None, peer.Walk(1, 3, "passwd"));
        Assert.Equal(Errno.ELOOP, Open(peer, 3, OpenFlags.O_RDONLY));
        Assert.Equal(Errno.EACCES, peer.Call(NinePMessageType.Topenat, static writer =>
        {
            writer.UInt32(1);
            writer.String("passwd");
            writer.UInt32(0);
        }));
    }

    [Fact]
    public void ReadOnlyTrees_AreNotChanged()
    {
        using ServedTree tree = new(isReadOnly: true);
        File.WriteAllText(tree.PathOf("file"), "x");
        RawPeer peer = new(tree.Transport);
        peer.Attach(1);
        peer.Walk(1, 2, "file");
        Assert.Equal(Errno.EROFS, Open(peer, 2, OpenFlags.O_RDWR));
        Assert.Equal(Errno.EROFS, Open(peer, 2, OpenFlags.O_RDONLY | OpenFlags.O_TRUNC));
        Assert.Equal(Errno.EROFS, peer.Call(NinePMessageType.Tmkdir, static writer => writer.Bytes(TmkdirBody())));
        Assert.Equal(Errno.None, Open(peer, 2, OpenFlags.O_RDONLY));
        Assert.Equal("x", File.ReadAllText(tree.PathOf("file")));
    }

    [Fact]
    public void DeviceNodes_AreNotMade()
    {
        using ServedTree tree = new();
        RawPeer peer = new(tree.Transport);
        peer.Attach(1);
        Assert.Equal(Errno.EPERM, peer.Call(NinePMessageType.Tmknod, static writer =>
        {
            writer.UInt32(1);
            writer.String("null");
            writer.UInt32((uint)Mode.S_IFCHR | 0x1B6);
            writer.UInt32(1);
            writer.UInt32(3);
            writer.UInt32(0);
        }));
    }

    private static byte[] TmkdirBody()
    {
        NinePWriter writer = new(256);
        writer.Begin(0, 0);
        writer.UInt32(1);
        writer.String("name");
        writer.UInt32(0x1ED);
        writer.UInt32(0);
        return writer.End()[NinePWriter.HeaderSize..].ToArray();
    }

    private static Errno Open(RawPeer peer, uint fid, OpenFlags flags) => peer.Call(NinePMessageType.Tlopen, writer =>
    {
        writer.UInt32(fid);
        writer.UInt32((uint)flags);
    });

    private static void WriteRange(NinePWriter writer, uint fid, uint count)
    {
        writer.UInt32(fid);
        writer.UInt64(0);
        writer.UInt32(count);
    }
}
