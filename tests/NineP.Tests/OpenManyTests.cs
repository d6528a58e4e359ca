using Moat.Host;
using Moat.Linux;

namespace Moat.NineP.Tests;

public sealed class OpenManyTests
{
    [Fact]
    public void Files_AreOpened_AndOthersAreNot()
    {
        using ServedTree tree = new();
        File.WriteAllText(tree.PathOf("a"), "first");
        File.WriteAllText(tree.PathOf("b"), "second");
        Directory.CreateDirectory(tree.PathOf("dir"));
        File.CreateSymbolicLink(tree.PathOf("link"), "a");
        NinePClient client = tree.Connect();
        List<int> descriptors = [];
        FileName[] names = [new("a"), new("missing"), new("dir"), new("link"), new("b")];
        Assert.Equal(Errno.None, client.OpenMany(NinePClient.RootFid, names, OpenFlags.O_RDONLY, descriptors));
        Assert.Equal([-1, -1, -1], descriptors[1..4]);
        Assert.Equal("first", ReadAll(descriptors[0]));
        Assert.Equal("second", ReadAll(descriptors[4]));
    }

    [Fact]
    public void Names_AreCheckedBeforeAnyIsOpened()
    {
        using ServedTree tree = new();
        File.WriteAllText(tree.PathOf("a"), "");
        RawPeer peer = new(tree.Transport);
        peer.Attach(1);
        Assert.Equal(Errno.EINVAL, peer.Call(NinePMessageType.Topenmany, static writer => WriteNames(writer, "a", "..")));
        Assert.Equal(Errno.EINVAL, peer.Call(NinePMessageType.Topenmany, static writer => WriteNames(writer, "a", "a/b")));
        Assert.Equal(Errno.EINVAL, peer.Call(NinePMessageType.Topenmany, static writer => WriteNames(writer, [.. Enumerable.Repeat("a", 17)])));
        Assert.Equal(Errno.EBADMSG, peer.Call(NinePMessageType.Topenmany, static writer =>
        {
            writer.UInt32(1);
            writer.UInt32(0);
            writer.UInt16(2);
            writer.String("a");
        }));
    }

    [Fact]
    public void ADescriptorThatIsMissing_IsNotMadeUp()
    {
        FakeServer server = new();
        NinePClient client = server.Connect();
        server.Answer(NinePMessageType.Topenmany + 1, static writer => writer.UInt32(0));
        List<int> descriptors = [];
        Assert.Equal(Errno.None, client.OpenMany(NinePClient.RootFid, [new("a")], OpenFlags.O_RDONLY, descriptors));
        Assert.Equal([-1], descriptors);
    }

    [Fact]
    public void AnAnswerThatIsCutOff_EndsTheConnection()
    {
        FakeServer server = new();
        NinePClient client = server.Connect();
        server.Answer(NinePMessageType.Topenmany + 1, static writer => writer.UInt32(2));
        List<int> descriptors = [];
        Assert.Equal(Errno.EIO, client.OpenMany(NinePClient.RootFid, [new("a"), new("b")], OpenFlags.O_RDONLY, descriptors));
        Assert.Empty(descriptors);
    }

    private static string ReadAll(int fd)
    {
        byte[] buffer = new byte[64];
        int count = (int)HostFile.ReadAt(fd, buffer, 0).Raw;
        HostMemory.Close(fd);
        return System.Text.Encoding.ASCII.GetString(buffer, 0, count);
    }

    private static void WriteNames(NinePWriter writer, params string[] names)
    {
        writer.UInt32(1);
        writer.UInt32((uint)OpenFlags.O_RDONLY);
        writer.UInt16((ushort)names.Length);
        foreach (string name in names)
        {
            writer.String(name);
        }
    }
}
