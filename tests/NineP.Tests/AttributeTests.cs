using Moat.Linux;

namespace Moat.NineP.Tests;

/// <summary>Extended attributes over 9P: what a client sets is on the file, and a hostile one gets errors.</summary>
public sealed class AttributeTests
{
    private const int Create = 1;
    private const int Replace = 2;

    [Fact]
    public void Attributes_AreSetReadListedAndRemoved()
    {
        using ServedTree tree = new(pieceSize: 777);
        File.WriteAllText(tree.PathOf("file"), "");
        NinePClient client = tree.Connect();
        Errno first = Set(client, "user.a"u8, "1"u8, Create);
        Assert.SkipWhen(first == Errno.EOPNOTSUPP, "the host's filesystem has no attributes of users");
        Assert.Equal((Errno.None, Errno.EEXIST, Errno.ENODATA), (first, Set(client, "user.a"u8, "2"u8, Create), Set(client, "user.b"u8, "2"u8, Replace)));
        byte[] value = new byte[2000];
        new Random(1).NextBytes(value);
        Assert.Equal(Errno.None, Set(client, "user.a"u8, value, Replace));
        uint fid = client.Walk(NinePClient.RootFid, "file"u8).Value;
        Assert.Equal(value, client.Attributes.Get(fid, "user.a"u8).Value);
        Assert.Equal("user.a\0"u8.ToArray(), client.Attributes.Get(fid, default).Value);
        Assert.Equal((Errno.ENODATA, Errno.EOPNOTSUPP), (client.Attributes.Get(fid, "user.no"u8).Errno, client.Attributes.Get(fid, "security.capability"u8).Errno));
        Assert.Equal((Errno.ENODATA, Errno.None), (Set(client, "user.empty"u8, default, Replace), Set(client, "user.empty"u8, default, 0)));
        Assert.Equal(Errno.None, Set(client, "user.empty"u8, default, Replace));
        Assert.Empty(client.Attributes.Get(fid, "user.empty"u8).Value);
        Assert.Equal((Errno.None, Errno.ENODATA), (Remove(client, "user.a"u8), Remove(client, "user.a"u8)));
        Assert.Equal((Errno.EOPNOTSUPP, Errno.EOPNOTSUPP), (Set(client, "trusted.x"u8, "1"u8, 0), Set(client, "security.capability"u8, "1"u8, 0)));
        Assert.Equal(0ul, client.GetAttributes(fid).Value.Size); // the connection is well
    }

    [Fact]
    public void ReadOnlyTree_ChangesNone()
    {
        using ServedTree tree = new(isReadOnly: true);
        File.WriteAllText(tree.PathOf("file"), "");
        NinePClient client = tree.Connect();
        Assert.Equal((Errno.EROFS, Errno.EROFS), (Set(client, "user.a"u8, "1"u8, 0), Remove(client, "user.a"u8)));
    }

    [Fact]
    public void Names_AreBounded()
    {
        using ServedTree tree = new();
        File.WriteAllText(tree.PathOf("file"), "");
        NinePClient client = tree.Connect();
        byte[] longName = [.. "user."u8, .. Enumerable.Repeat((byte)'x', 300)];
        Assert.Contains(Set(client, longName, "1"u8, 0), (Errno[])[Errno.ERANGE, Errno.EOPNOTSUPP]);
        Assert.Equal(Errno.EINVAL, Set(client, default, "1"u8, 0));
        Assert.Equal(Errno.EINVAL, Set(client, "user.a"u8, "1"u8, 3));
        Assert.Equal(Errno.E2BIG, Set(client, "user.a"u8, new byte[65537], 0));
        Assert.Equal(Errno.EOPNOTSUPP, Set(client, "user.a\0b"u8, "1"u8, 0));
    }

    private static Errno Set(NinePClient client, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, int flags) => client.Attributes.Set(client.Walk(NinePClient.RootFid, "file"u8).Value, name, value, flags);

    private static Errno Remove(NinePClient client, ReadOnlySpan<byte> name) => client.Attributes.Remove(client.Walk(NinePClient.RootFid, "file"u8).Value, name);
}
