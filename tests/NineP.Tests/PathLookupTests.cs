using System.Text;
using Moat.Linux;

namespace Moat.NineP.Tests;

public sealed class PathLookupTests
{
    [Fact]
    public void APath_IsToldInOneGo()
    {
        using ServedTree tree = new();
        Directory.CreateDirectory(tree.PathOf("a/b"));
        File.WriteAllText(tree.PathOf("a/b/file"), "12345");
        NinePClient client = tree.Connect();
        List<(NinePAttributes Attributes, byte[] Target)> found = [];
        NinePAttributes own = client.LookupPath(NinePClient.RootFid, "a//b/file"u8, found, out Errno error).Value;
        Assert.Equal(Errno.None, error);
        Assert.Equal(client.GetAttributes(NinePClient.RootFid).Value, own);
        Assert.Equal([Mode.S_IFDIR, Mode.S_IFDIR, Mode.S_IFREG], found.Select(static name => name.Attributes.Mode & Mode.S_IFMT));
        Assert.Equal(5ul, found[2].Attributes.Size);
    }

    [Theory]
    [InlineData("a/missing/x", 1, Errno.ENOENT)]
    [InlineData("a/file/x", 2, Errno.None)]
    [InlineData("a/link/x", 2, Errno.None)]
    [InlineData("a/../a", 1, Errno.None)]
    [InlineData("./a", 0, Errno.None)]
    [InlineData("", 0, Errno.None)]
    public void APath_IsToldAsFarAsItGoes(string path, int count, Errno expected)
    {
        using ServedTree tree = new();
        Directory.CreateDirectory(tree.PathOf("a"));
        File.WriteAllText(tree.PathOf("a/file"), "");
        File.CreateSymbolicLink(tree.PathOf("a/link"), "..");
        NinePClient client = tree.Connect();
        List<(NinePAttributes Attributes, byte[] Target)> found = [];
        Assert.True(client.LookupPath(NinePClient.RootFid, Encoding.UTF8.GetBytes(path), found, out Errno error).IsOk);
        Assert.Equal(count, found.Count);
        Assert.Equal(expected, error);
        Assert.True(count < 2 || path != "a/link/x" || Encoding.UTF8.GetString(found[1].Target) == "..");
    }

    [Fact]
    public void MoreNamesThanGoInAMessage_AreNotAskedFor()
    {
        using ServedTree tree = new();
        string path = string.Join('/', Enumerable.Repeat("d", 20));
        Directory.CreateDirectory(tree.PathOf(path));
        List<(NinePAttributes Attributes, byte[] Target)> found = [];
        Assert.True(tree.Connect().LookupPath(NinePClient.RootFid, Encoding.UTF8.GetBytes(path), found, out _).IsOk);
        Assert.Equal(16, found.Count);
    }

    [Theory]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("")]
    public void NamesThatAreNoComponent_AreInvalid(string name)
    {
        using ServedTree tree = new();
        RawPeer peer = new(tree.Transport);
        peer.Attach(1);
        Assert.Equal(Errno.EINVAL, peer.Call(NinePMessageType.Tlookuppath, writer => WriteNames(writer, "missing", name)));
        Assert.Equal(Errno.EINVAL, peer.Call(NinePMessageType.Tlookuppath, static writer => WriteNames(writer, [.. Enumerable.Repeat("x", 17)])));
        Assert.Equal(Errno.EBADMSG, peer.Call(NinePMessageType.Tlookuppath, static writer =>
        {
            writer.UInt32(1);
            writer.UInt16(2);
            writer.String("x");
        }));
    }

    [Fact]
    public void AnAnswerWithMoreThanWasAsked_EndsTheConnection()
    {
        FakeServer server = new();
        NinePClient client = server.Connect();
        server.Answer(NinePMessageType.Tlookuppath + 1, static writer =>
        {
            default(NinePAttributes).Write(writer);
            writer.UInt32(0);
            writer.UInt16(2);
            for (int i = 0; i < 2; i++)
            {
                default(NinePAttributes).Write(writer);
                writer.String("");
            }
        });
        Assert.Equal(Errno.EIO, client.LookupPath(NinePClient.RootFid, "x"u8, [], out _).Errno);
    }

    [Fact]
    public void AnAnswerWithAnImpossibleError_EndsTheConnection()
    {
        FakeServer server = new();
        NinePClient client = server.Connect();
        server.Answer(NinePMessageType.Tlookuppath + 1, static writer =>
        {
            default(NinePAttributes).Write(writer);
            writer.UInt32(uint.MaxValue);
            writer.UInt16(0);
        });
        Assert.Equal(Errno.EIO, client.LookupPath(NinePClient.RootFid, "x"u8, [], out _).Errno);
    }

    private static void WriteNames(NinePWriter writer, params string[] names)
    {
        writer.UInt32(1);
        writer.UInt16((ushort)names.Length);
        foreach (string name in names)
        {
            writer.String(name);
        }
    }
}
